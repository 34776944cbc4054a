import { Problem, sentence } from '$lib/api/problem';
import { number } from '$lib/i18n/format.svelte';
import { m } from '$lib/paraglide/messages';
import type { Fit, Misfit, Warning } from './types';

const mm = (value: number | undefined) => `${number(value ?? 0, { maximumFractionDigits: 1 })} mm`;
const degrees = (value: number | undefined) => `${number(value ?? 0, { maximumFractionDigits: 0 })} °C`;

const words: Record<string, (misfit: Misfit) => string> = {
	too_large: (f) => m.fit_too_large({ axis: (f.axis ?? '').toUpperCase(), value: mm(f.value), limit: mm(f.limit) }),
	outside: (f) => m.fit_outside({ axis: (f.axis ?? '').toUpperCase() }),
	tool_missing: (f) => m.fit_tool_missing({ value: number(f.value ?? 0), limit: number(f.limit ?? 0) }),
	nozzle_too_hot: (f) => m.fit_nozzle({ value: degrees(f.value), limit: degrees(f.limit) }),
	bed_too_hot: (f) => m.fit_bed({ value: degrees(f.value), limit: degrees(f.limit) }),
	chamber_too_hot: (f) => m.fit_chamber({ value: degrees(f.value), limit: degrees(f.limit) }),
	no_heated_bed: () => m.fit_no_heated_bed(),
	no_heated_chamber: () => m.fit_no_heated_chamber()
};

/** Why a file should not be printed on a printer, in a sentence. */
export function misfitWords(misfit: Misfit): string {
	return words[misfit.code]?.(misfit) ?? misfit.message ?? misfit.code;
}

const warnings: Record<string, (warning: Warning) => string> = {
	ends_hot: () => m.warning_ends_hot(),
	saves_settings: () => m.warning_saves_settings(),
	updates_firmware: () => m.warning_updates_firmware(),
	writes_card: () => m.warning_writes_card(),
	cold_extrusion: () => m.warning_cold_extrusion(),
	nothing_printed: () => m.warning_nothing_printed()
};

/** What a person should know before a print; undefined for what need not be said. */
export function warningWords(warning: Warning): string | undefined {
	return warnings[warning.code]?.(warning);
}

/** Why FACTOR could not look into a file, or would not have it printed anywhere. */
export function refusalWords(code: string, message?: string): string {
	return sentence(new Problem({ status: 0, code, detail: message }));
}

/** Everything to be said of a file and a printer before a print. */
export function fitWords(fit: Fit | undefined): string[] {
	if (!fit) return [];
	if (!fit.ready) return [m.fit_not_ready()];
	const all = fit.problems.map(misfitWords);
	if (fit.refused) all.unshift(`${m.fit_refused()} ${refusalWords(fit.refused, fit.message)}`);
	for (const warning of fit.warnings) {
		const words = warningWords(warning);
		if (words) all.push(words);
	}
	return [...new Set(all)];
}
