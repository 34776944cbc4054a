import type { LastJob } from '$lib/api/types';
import { m } from '$lib/paraglide/messages';
import type { Tone } from './status';

/** How a print ended; without one it is under way. */
export type Result = LastJob['result'] | undefined;

export function resultWord(result: Result): string {
	if (result === 'done') return m.printer_result_done();
	if (result === 'failed') return m.printer_result_failed();
	if (result === 'cancelled') return m.printer_result_cancelled();
	return m.printer_result_running();
}

export function resultTone(result: Result): Tone {
	if (result === 'done') return 'done';
	if (result === 'failed') return 'error';
	return result === 'cancelled' ? 'paused' : 'printing';
}
