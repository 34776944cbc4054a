import type { Transfer } from './types';

/** The library's file that a printer's own file came from, if the server brought it there and it was not changed since. */
export function brought(transfers: readonly Transfer[], file: { origin: string; path: string }): string | undefined {
	const target = file.origin === 'sdcard' ? 'sdcard' : 'local';
	const found = transfers.find(
		(transfer) =>
			transfer.direction === 'to_printer' && transfer.stage === 'done' && (transfer.target ?? 'local') === target && transfer.path === file.path
	);
	return found?.file_id;
}
