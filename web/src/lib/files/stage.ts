import { bytes, percent } from '$lib/i18n/format.svelte';
import { m } from '$lib/paraglide/messages';
import type { Transfer } from './types';

const failures: Record<string, () => string> = {
	no_space: () => m.transfer_failed_no_space(),
	name_refused: () => m.transfer_failed_name(),
	checksum: () => m.transfer_failed_checksum(),
	octoprint_refused: () => m.transfer_failed_octoprint(),
	unreachable: () => m.transfer_failed_unreachable(),
	cancelled: () => m.transfer_failed_cancelled(),
	too_large: () => m.transfer_failed_too_large(),
	timeout: () => m.transfer_failed_timeout()
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
			return transfer.total ? m.transfer_stage_uploading({ part }) : m.transfer_stage_uploading_begun();
		case 'starting':
			return m.transfer_stage_starting();
		case 'done':
			return m.transfer_stage_done();
		case 'failed':
			return failures[transfer.code ?? '']?.() ?? (transfer.message || m.common_error_unexpected());
	}
}
