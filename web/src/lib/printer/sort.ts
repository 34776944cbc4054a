import type { Language, Printer } from '$lib/api/types';
import type { Look } from './status';

export type SortBy = 'attention' | 'name' | 'finish' | 'status';
export const sorts: SortBy[] = ['attention', 'name', 'finish', 'status'];

/** What a list is ordered by: few values that seldom change, so that the order is seldom worked out again. */
export interface Place {
	name: string;
	urgent: boolean;
	look: Look;
	/** Unix ms. */
	finish: number | undefined;
}

// What is under way before what rests, what rests before what is away.
const order: Look[] = [
	'error',
	'printing',
	'finishing',
	'heating',
	'resuming',
	'pausing',
	'paused',
	'cancelling',
	'idle',
	'connecting',
	'pending',
	'unknown',
	'disconnected',
	'offline'
];
const rank = new Map(order.map((look, at) => [look, at]));

// For the first look the steps of one print are one group: a card that goes from heating to printing keeps its place.
function group(look: Look): number {
	if (look === 'error') return 0;
	if (look === 'pending') return 1;
	const at = rank.get(look) ?? 0;
	if (at <= (rank.get('cancelling') ?? 0)) return 2;
	return look === 'idle' || look === 'connecting' ? 3 : 4;
}

const collators = new Map<Language, Intl.Collator>();
function byName(a: Place, b: Place, language: Language): number {
	let collator = collators.get(language);
	if (!collator) {
		// Numeric, so that "Printer 10" follows "Printer 9".
		collator = new Intl.Collator(language, { numeric: true, sensitivity: 'base' });
		collators.set(language, collator);
	}
	return collator.compare(a.name, b.name);
}

export function comparePlaces(a: Place, b: Place, by: SortBy, language: Language): number {
	if (by === 'attention') {
		const urgent = Number(b.urgent) - Number(a.urgent);
		if (urgent) return urgent;
		const grouped = group(a.look) - group(b.look);
		if (grouped) return grouped;
	} else if (by === 'finish') {
		const finish = (a.finish ?? Infinity) - (b.finish ?? Infinity);
		if (finish && !Number.isNaN(finish)) return finish;
	} else if (by === 'status') {
		const status = (rank.get(a.look) ?? 0) - (rank.get(b.look) ?? 0);
		if (status) return status;
	}
	return byName(a, b, language);
}

/** Text to search in, and text searched for, brought to one form: Hangul may come composed or as single letters. */
function plain(text: string): string {
	return text.normalize('NFC').toLowerCase();
}

/** Name, description, file, workspace and UUID of a printer, ready to be searched. */
export function searchText(printer: Printer): string {
	return plain(
		[printer.name, printer.description, printer.job?.file?.name ?? '', printer.workspace.name, printer.uuid].join('\n')
	);
}

/** Every word of the search is somewhere in the text. */
export function matches(text: string, search: string): boolean {
	return plain(search)
		.split(/\s+/)
		.every((word) => text.includes(word));
}
