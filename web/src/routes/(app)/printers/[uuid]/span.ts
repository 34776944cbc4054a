import type { Printer } from '$lib/api/types';

/** A time span in Unix ms; without an end it goes on. */
export interface Span {
	from: number;
	to: number | undefined;
}

/** The print under way, else the last one; undefined when there was none. */
export function printSpan(printer: Pick<Printer, 'job' | 'last_job'>): Span | undefined {
	const started = printer.job?.id && printer.job.started_at ? Date.parse(printer.job.started_at) : NaN;
	if (!Number.isNaN(started)) return { from: started, to: undefined };
	const last = printer.last_job;
	if (!last) return undefined;
	const from = Date.parse(last.started_at);
	const to = last.ended_at ? Date.parse(last.ended_at) : NaN;
	return Number.isNaN(from) || Number.isNaN(to) || to <= from ? undefined : { from, to };
}
