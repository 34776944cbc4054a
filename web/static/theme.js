// Runs before the first paint, so that nobody who chose dark sees a white flash. A file and not inline: the
// Content-Security-Policy allows no inline script.
(function () {
	var root = document.documentElement;
	var stored = null;
	var locale = null;
	try {
		stored = localStorage.getItem('factor.theme');
		locale = localStorage.getItem('factor.locale');
	} catch (_) {
		// Storage may be forbidden; the system's choice then counts.
	}
	var dark = stored === 'dark' || (stored !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
	root.dataset.theme = dark ? 'dark' : 'light';
	var korean = locale ? locale === 'ko' : /^ko\b/i.test(navigator.language || '');
	// The documentation is in the language of its address.
	if (!('fixedLang' in root.dataset)) root.lang = korean ? 'ko' : 'en';
})();
