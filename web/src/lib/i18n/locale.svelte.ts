import { overwriteGetLocale } from '$lib/paraglide/runtime';
import type { Language } from '$lib/api/types';

const KEY = 'factor.locale';

export const languages: Language[] = ['ko', 'en'];

/** A language's name in that language, so that everybody finds their own. */
export const languageName: Record<Language, string> = { ko: '한국어', en: 'English' };

export function isLanguage(value: unknown): value is Language {
	return value === 'ko' || value === 'en';
}

/** The language that fits the browser best: the first of its list that we speak. */
export function pickLanguage(wanted: readonly string[]): Language {
	for (const tag of wanted) {
		const language = tag.toLowerCase().split('-')[0];
		if (isLanguage(language)) return language;
	}
	return 'en';
}

/**
 * Language and time zone of the viewer: from the account, else what was chosen in this browser, else the browser's own.
 * Every message reads `current`, so a change redraws the page without a reload.
 */
class Locale {
	current = $state<Language>('en');
	/** The account's IANA zone; undefined means the browser's. */
	accountZone = $state<string | undefined>();

	readonly browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
	readonly zone = $derived(this.accountZone ?? this.browserZone);

	constructor() {
		this.current = remembered() ?? pickLanguage(typeof navigator === 'undefined' ? [] : navigator.languages);
	}

	set(language: Language): void {
		this.current = language;
		if (typeof document !== 'undefined') document.documentElement.lang = language;
		try {
			localStorage.setItem(KEY, language);
		} catch {
			// Without storage the choice lasts as long as the page.
		}
	}

	setZone(zone: string | undefined): void {
		this.accountZone = zone && isZone(zone) ? zone : undefined;
	}
}

export function isZone(zone: string): boolean {
	try {
		new Intl.DateTimeFormat('en', { timeZone: zone });
		return true;
	} catch {
		return false;
	}
}

function remembered(): Language | undefined {
	try {
		const stored = localStorage.getItem(KEY);
		return isLanguage(stored) ? stored : undefined;
	} catch {
		return undefined;
	}
}

export const locale = new Locale();

overwriteGetLocale(() => locale.current);
