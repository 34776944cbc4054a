/** Where to go after login. Only a path of this site: a link that leads elsewhere is not followed. */
export function nextPath(next: string | null | undefined, fallback = '/printers'): string {
	if (!next || !next.startsWith('/') || next.startsWith('//') || next.includes('\\')) return fallback;
	// Browsers drop control characters out of an address: "/\t/evil" would become "//evil".
	if ([...next].some((sign) => sign.charCodeAt(0) < 0x20)) return fallback;
	const path = next.split(/[?#]/)[0];
	if (path === '/' || path === '/login' || path === '/welcome') return fallback;
	return next;
}

const KEPT = 'factor.next';
/** As long as the link in the mail may be followed. */
const KEPT_MS = 24 * 3_600_000;

/** Remembers where to go once the link in the mail has been followed in this browser. */
export function keepNext(path: string): void {
	try {
		localStorage.setItem(KEPT, JSON.stringify({ path, until: Date.now() + KEPT_MS }));
	} catch {
		// Storage forbidden: the link leads to the printers.
	}
}

/** Where to go after the link in the mail; remembered once. */
export function takeNext(fallback = '/printers'): string {
	try {
		const kept: unknown = JSON.parse(localStorage.getItem(KEPT) ?? 'null');
		localStorage.removeItem(KEPT);
		if (kept && typeof kept === 'object' && 'path' in kept && 'until' in kept && Number(kept.until) > Date.now()) {
			return nextPath(String(kept.path), fallback);
		}
	} catch {
		// Storage forbidden, or not written by us.
	}
	return fallback;
}
