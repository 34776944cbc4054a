/** A choice among a few that this browser remembers, such as how the printers are shown. */
export function recallChoice<T extends string>(key: string, allowed: readonly T[], otherwise: T): T {
	try {
		const stored = localStorage.getItem(`factor.${key}`);
		return allowed.find((choice) => choice === stored) ?? otherwise;
	} catch {
		return otherwise;
	}
}

export function rememberChoice(key: string, choice: string): void {
	try {
		localStorage.setItem(`factor.${key}`, choice);
	} catch {
		// Storage forbidden: the choice lasts as long as the page.
	}
}
