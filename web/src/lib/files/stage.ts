import { Problem, sentence } from '$lib/api/problem';
import { bytes, percent } from '$lib/i18n/format.svelte';
import { m } from '$lib/paraglide/messages';
import type { Transfer } from './types';

/** The codes of the server, of our agent, and of what became of the published plugin. */
const failures: Record<string, () => string> = {
	no_space: () => m.transfer_failed_no_space(),
	name_refused: () => m.transfer_failed_name(),
	checksum: () => m.transfer_failed_checksum(),
	octoprint_refused: () => m.transfer_failed_octoprint(),
	octoprint_unreachable: () => m.transfer_failed_octoprint_away(),
	unreachable: () => m.transfer_failed_server(),
	cancelled: () => m.transfer_failed_cancelled(),
	too_large: () => m.transfer_failed_too_large(),
	device_timeout: () => m.transfer_failed_timeout(),
	device_offline: () => m.transfer_failed_device_offline(),
	no_answer: () => m.transfer_failed_no_answer(),
	abandoned: () => m.transfer_failed_abandoned(),
	interrupted: () => m.transfer_failed_interrupted(),
	outcome_unknown: () => m.transfer_failed_outcome(),
	unconfirmed: () => m.transfer_failed_unconfirmed(),
	not_now: () => m.transfer_failed_not_now(),
	another_print: () => m.transfer_failed_another_print(),
	no_file: () => m.transfer_failed_no_file(),
	not_supported: () => m.transfer_failed_card(),
	expired: () => m.control_fail_expired(),
	no_clock: () => m.control_fail_no_clock(),
	refused: () => m.transfer_failed_refused(),
	failed: () => m.transfer_failed_failed()
};

/** How far a file has come, in words. */
export function stageWords(transfer: Transfer): string {
	const part = transfer.total ? percent((transfer.bytes ?? 0) / transfer.total) : '';
	switch (transfer.stage) {
		case 'waiting':
			return m.transfer_stage_waiting();
		case 'fetching':
			return transfer.total ? m.transfer_stage_fetching({ part, total: bytes(transfer.total) }) : m.transfer_stage_fetching_begun();
		case 'checking':
			return m.transfer_stage_checking();
		case 'uploading':
			if (transfer.target === 'sdcard' && transfer.total) {
				return transfer.bytes === transfer.total ? m.transfer_stage_card_sent() : m.transfer_stage_card({ part });
			}
			return transfer.total ? m.transfer_stage_uploading({ part }) : m.transfer_stage_uploading_begun();
		case 'starting':
			return m.transfer_stage_starting();
		case 'done':
			if (transfer.direction === 'to_library') return m.transfer_stage_done_library();
			return transfer.print ? m.transfer_stage_done_print() : m.transfer_stage_done_printer();
		case 'failed':
			return failureWords(transfer);
	}
}

/** Why it failed. What the library says of a file has its own words. */
function failureWords(transfer: Transfer): string {
	const own = failures[transfer.code ?? ''];
	if (own) return own();
	return sentence(new Problem({ status: 0, code: transfer.code || 'unexpected', detail: transfer.message }));
}
