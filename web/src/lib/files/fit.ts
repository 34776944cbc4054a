import { number } from '$lib/i18n/format.svelte';
import { m } from '$lib/paraglide/messages';
import type { Misfit } from './types';

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
