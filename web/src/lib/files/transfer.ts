import type { Transfer } from './types';

/** Nothing more is to come of it. */
export function isOver(transfer: Pick<Transfer, 'stage'>): boolean {
	return transfer.stage === 'done' || transfer.stage === 'failed';
}

/** The later word of two on one transfer: an answer can be overtaken by what is pushed. */
export function newer(known: Transfer | undefined, news: Transfer): Transfer {
	if (!known) return news;
	if (isOver(known) !== isOver(news)) return isOver(known) ? known : news;
	return when(news) >= when(known) ? news : known;
}

/** Not as text: the server leaves out a fraction's last zeros, and `.51Z` would come after `.515Z`. */
function when({ updated_at }: Transfer): number {
	return updated_at ? Date.parse(updated_at) : 0;
}

/** How much of its whole way is done, 0…1; undefined while nobody knows. A file goes through stages of its own length. */
export function progressOf(transfer: Pick<Transfer, 'stage' | 'bytes' | 'total'>): number | undefined {
	if (!transfer.total || transfer.stage === 'waiting' || transfer.stage === 'starting') return undefined;
	return Math.min(1, (transfer.bytes ?? 0) / transfer.total);
}
