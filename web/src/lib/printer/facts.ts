import type { Printer } from '$lib/api/types';
import { number, spokenDuration } from '$lib/i18n/format.svelte';
import { m } from '$lib/paraglide/messages';

export interface Fact {
	label: string;
	value: string;
}

/** Figures of the job, as far as the device knows them. */
export function jobFacts(printer: Printer, busy: boolean): Fact[] {
	const facts: Fact[] = [];
	const add = (label: string, value: string | undefined) => {
		if (value !== undefined) facts.push({ label, value });
	};
	const { job, progress } = printer;
	if (busy) {
		add(m.printer_fact_elapsed(), known(progress.print_time, spokenDuration));
		add(m.printer_fact_height(), known(printer.current_z, (z) => m.printer_millimetres({ value: figure(z, 2) })));
	}
	add(m.printer_fact_estimated(), known(job?.estimated_time, spokenDuration));
	if (!busy) add(m.printer_fact_last_time(), known(job?.last_time, spokenDuration));
	add(m.printer_fact_filament(), filament(job?.filament));
	const feedrate = printer.overrides?.feedrate;
	// The usual speed is no news.
	if (busy && feedrate !== undefined && feedrate !== null && feedrate !== 100)
		add(m.printer_fact_speed(), m.printer_percent({ value: figure(feedrate, 0) }));
	return facts;
}

/** "38.4 m", of all tools together; with its volume where that is known. */
function filament(tools: NonNullable<Printer['job']>['filament']): string | undefined {
	let millimetres = 0;
	let cubic = 0;
	for (const tool of Object.values(tools ?? {})) {
		millimetres += tool?.length ?? 0;
		cubic += tool?.volume ?? 0;
	}
	if (millimetres <= 0) return undefined;
	const metres = figure(millimetres / 1000, millimetres < 10_000 ? 2 : 1);
	return cubic > 0
		? m.printer_filament_volume({ metres, volume: figure(cubic, cubic < 10 ? 1 : 0) })
		: m.printer_filament({ metres });
}

function figure(value: number, digits: number): string {
	return number(value, { maximumFractionDigits: digits });
}

function known(value: number | null | undefined, write: (value: number) => string): string | undefined {
	return value === null || value === undefined || !Number.isFinite(value) ? undefined : write(value);
}
