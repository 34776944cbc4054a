import type { LastJob, Printer } from '$lib/api/types';
import { clockOrDay, relative, spokenDuration } from '$lib/i18n/format.svelte';
import { m } from '$lib/paraglide/messages';
import { secondsLeft } from './finish';
import { lookOf } from './status';

/**
 * The one sentence under a printer's name or progress: when it is done, or what it does or did instead. `now` is
 * server time in Unix ms.
 */
export function statusLine(printer: Printer, finish: number | undefined, now: number): string {
	switch (lookOf(printer)) {
		case 'offline':
			return awayLine(printer, now);
		case 'pending':
			return m.printer_line_pending();
		case 'disconnected':
			return waitsForOctoPrint(printer) ? m.printer_line_octoprint() : m.printer_line_disconnected();
		case 'connecting':
			return m.printer_line_connecting();
		case 'idle':
			return printer.last_job ? lastJobLine(printer.last_job, now) : m.printer_line_ready();
		case 'error':
			return m.printer_line_error();
		case 'unknown':
			return m.printer_line_unknown();
		case 'paused':
		case 'pausing':
			return printer.status_since
				? m.printer_line_paused({ since: relative(printer.status_since, now) })
				: m.printer_line_paused_plain();
		case 'cancelling':
			return m.printer_line_cancelling();
		case 'heating':
			return finish === undefined ? m.printer_line_heating() : finishLine(finish, now);
		default:
			return finish === undefined ? m.printer_finish_unknown() : finishLine(finish, now);
	}
}

/** The device is there, but cannot say anything about its printer: why is said by its attention. */
export function waitsForOctoPrint(printer: Pick<Printer, 'attention'>): boolean {
	return printer.attention.includes('octoprint_unreachable') || printer.attention.includes('key_refused');
}

/** "18:42 완료 예정 · 1시간 12분 남음" */
export function finishLine(finish: number, now: number): string {
	const left = secondsLeft(finish, now);
	if (left < 60) return m.printer_finish_soon();
	return m.printer_finish({ time: clockOrDay(finish, now), left: spokenDuration(left) });
}

export function lastJobLine(job: LastJob, now: number): string {
	const time = clockOrDay(job.ended_at ?? job.started_at, now);
	if (job.result === 'failed') return m.printer_last_failed({ time });
	if (job.result === 'cancelled') return m.printer_last_cancelled({ time });
	return m.printer_last_done({ time });
}

/** Since when an offline printer has not been heard of. */
export function awayLine(printer: Pick<Printer, 'last_seen'>, now: number): string {
	if (!printer.last_seen) return m.printer_line_never();
	return m.printer_line_offline({ time: clockOrDay(printer.last_seen, now), since: relative(printer.last_seen, now) });
}
