import type { Printer } from '$lib/api/types';
import { clockOrDay } from '$lib/i18n/format.svelte';
import { m } from '$lib/paraglide/messages';

interface Reason {
	/** For the tile: two or three words. */
	short: () => string;
	/** What happened and what to do. */
	sentence: (printer: Printer) => string;
}

const reasons: Record<string, Reason> = {
	error: {
		short: () => m.printer_attention_error_short(),
		sentence: (p) => {
			const text = p.state.text.replace(/^Error:\s*/i, '').trim();
			return text && !/^(error|offline)$/i.test(text) ? m.printer_attention_error_text({ text }) : m.printer_attention_error();
		}
	},
	print_failed: {
		short: () => m.printer_attention_print_failed_short(),
		sentence: (p) =>
			p.last_job?.result === 'failed' && p.last_job.ended_at
				? m.printer_attention_print_failed_file({ file: p.last_job.file_name, time: clockOrDay(p.last_job.ended_at) })
				: m.printer_attention_print_failed()
	},
	offline_while_printing: {
		short: () => m.printer_attention_offline_while_printing_short(),
		sentence: (p) =>
			p.last_seen
				? m.printer_attention_offline_while_printing_since({ time: clockOrDay(p.last_seen) })
				: m.printer_attention_offline_while_printing()
	},
	key_refused: {
		short: () => m.printer_attention_key_refused_short(),
		sentence: () => m.printer_attention_key_refused()
	},
	octoprint_unreachable: {
		short: () => m.printer_attention_octoprint_unreachable_short(),
		sentence: () => m.printer_attention_octoprint_unreachable()
	},
	uuid_contested: {
		short: () => m.printer_attention_uuid_contested_short(),
		sentence: () => m.printer_attention_uuid_contested()
	}
};

/** A code that this page does not know yet is shown as it is: better than hiding it. */
export function attentionShort(code: string): string {
	return reasons[code]?.short() ?? m.printer_attention_unknown_short();
}

export function attentionSentence(code: string, printer: Printer): string {
	return reasons[code]?.sentence(printer) ?? m.printer_attention_unknown({ code });
}

/** Reasons that end when a person says "seen"; the others end by themselves when their cause does. */
export function canBeAcknowledged(code: string): boolean {
	return code === 'print_failed';
}
