export type ThemeChoice = 'system' | 'light' | 'dark';

const KEY = 'factor.theme';

/** Light, dark, or as the system has it. `static/theme.js` applies the same choice before the first paint. */
class Theme {
	choice = $state<ThemeChoice>('system');
	/** What is shown now; charts and canvases redraw on it. */
	shown = $state<'light' | 'dark'>('light');

	#system: MediaQueryList | undefined;

	constructor() {
		if (typeof window === 'undefined') return;
		this.#system = matchMedia('(prefers-color-scheme: dark)');
		this.#system.addEventListener('change', () => this.#apply());
		try {
			const stored = localStorage.getItem(KEY);
			if (stored === 'light' || stored === 'dark') this.choice = stored;
		} catch {
			// Storage forbidden: the system's choice.
		}
		this.#apply();
	}

	set(choice: ThemeChoice): void {
		this.choice = choice;
		try {
			localStorage.setItem(KEY, choice);
		} catch {
			// The choice then lasts as long as the page.
		}
		this.#apply();
	}

	#apply(): void {
		const dark = this.choice === 'dark' || (this.choice === 'system' && !!this.#system?.matches);
		this.shown = dark ? 'dark' : 'light';
		document.documentElement.dataset.theme = this.shown;
	}
}

export const theme = new Theme();
