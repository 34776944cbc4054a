import type { Printer } from '$lib/api/types';
import { m } from '$lib/paraglide/messages';
import { isActive } from './status';

type Timed = Pick<Printer, 'online' | 'status' | 'progress' | 'reported_at'>;

/**
 * When the job ends, Unix ms of the server's clock; undefined when nobody knows, or when it cannot be said: a held
 * print ends later by as long as it is held.
 */
export function finishAt(printer: Timed): number | undefined {
	if (!isActive(printer) || printer.status === 'paused' || printer.status === 'cancelling') return undefined;
	const said = printer.progress.finish_at ? Date.parse(printer.progress.finish_at) : NaN;
	if (!Number.isNaN(said)) return said;
	const left = printer.progress.time_left;
	const reported = printer.reported_at ? Date.parse(printer.reported_at) : NaN;
	if (left === null || left === undefined || left < 0 || Number.isNaN(reported)) return undefined;
	return reported + left * 1000;
}

/** Seconds left at `serverNow`, never below zero. */
export function secondsLeft(finish: number, serverNow: number): number {
	return Math.max(0, (finish - serverNow) / 1000);
}

/** 0…1, or undefined when unknown. */
export function share(completion: number | null | undefined): number | undefined {
	if (completion === null || completion === undefined || !Number.isFinite(completion)) return undefined;
	return Math.min(1, Math.max(0, completion / 100));
}

/** Whole per cent without ever claiming 100 before it is: 99.6 % is not done. */
export function wholePercent(part: number): number {
	return part >= 1 ? 100 : Math.min(99, Math.floor(part * 100));
}

const origins: Record<string, () => string> = {
	linear: () => m.printer_origin_linear(),
	analysis: () => m.printer_origin_analysis(),
	estimate: () => m.printer_origin_estimate(),
	average: () => m.printer_origin_average(),
	'mixed-analysis': () => m.printer_origin_mixed_analysis(),
	'mixed-average': () => m.printer_origin_mixed_average(),
	genius: () => m.printer_origin_genius(),
	slicer: () => m.printer_origin_slicer(),
	slicerestimator: () => m.printer_origin_slicer()
};

/** Whose estimate it is, in words; a plugin's own name as it stands; undefined when nobody said. */
export function originWord(origin: string | null | undefined): string | undefined {
	if (!origin) return undefined;
	const known = origins[origin.toLowerCase()];
	if (known) return known();
	return m.printer_origin_other({ name: origin });
}
