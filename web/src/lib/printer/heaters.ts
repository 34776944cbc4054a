import type { Temperature } from '$lib/api/types';
import { m } from '$lib/paraglide/messages';

export type HeaterKind = 'nozzle' | 'bed' | 'chamber' | 'other';

export interface Heater extends Temperature {
	/** OctoPrint's name: tool0, bed, chamber. */
	key: string;
	kind: HeaterKind;
}

/** Nozzles in their order, then bed, chamber, and whatever else a printer has. */
export function heatersOf(temperatures: Record<string, Temperature> | null | undefined): Heater[] {
	return Object.entries(temperatures ?? {})
		.map(([key, value]) => ({ key, kind: heaterKind(key), actual: value?.actual ?? null, target: value?.target ?? null }))
		.sort((a, b) => place(a.key) - place(b.key) || a.key.localeCompare(b.key));
}

export function heaterKind(key: string): HeaterKind {
	if (/^tool\d+$/.test(key)) return 'nozzle';
	return key === 'bed' || key === 'chamber' ? key : 'other';
}

function place(key: string): number {
	const tool = /^tool(\d+)$/.exec(key);
	if (tool) return Number(tool[1]);
	return key === 'bed' ? 1000 : key === 'chamber' ? 1001 : 1002;
}

/** "노즐", or "노즐 2" where there are several. */
export function heaterName(key: string, nozzles: number): string {
	const tool = /^tool(\d+)$/.exec(key);
	if (tool) return nozzles > 1 ? m.printer_heater_nozzle_number({ number: Number(tool[1]) + 1 }) : m.printer_heater_nozzle();
	if (key === 'bed') return m.printer_heater_bed();
	if (key === 'chamber') return m.printer_heater_chamber();
	return key;
}
