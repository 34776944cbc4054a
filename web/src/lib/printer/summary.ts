import type { Printer } from '$lib/api/types';
import { isPrinting } from './status';

/** What the four tiles say of all printers together. */
export interface Summary {
	all: number;
	idle: number;
	online: number;
	offline: number;
	/** Since when the only offline one is away, if it is one. */
	offlineSince: string | undefined;
	printing: number;
	/** Earliest finish, Unix ms. */
	nextFinish: number | undefined;
	attention: number;
	/** Why, the commonest reason first. */
	reasons: string[];
}

export function summarise(printers: Iterable<{ data: Printer; finish: number | undefined }>): Summary {
	const summary: Summary = {
		all: 0,
		idle: 0,
		online: 0,
		offline: 0,
		offlineSince: undefined,
		printing: 0,
		nextFinish: undefined,
		attention: 0,
		reasons: []
	};
	const counts = new Map<string, number>();
	for (const { data, finish } of printers) {
		summary.all++;
		if (data.online) summary.online++;
		else {
			summary.offline++;
			summary.offlineSince = summary.offline === 1 ? data.last_seen : undefined;
		}
		if (data.online && data.status === 'idle') summary.idle++;
		if (isPrinting(data)) {
			summary.printing++;
			if (finish !== undefined && finish < (summary.nextFinish ?? Infinity)) summary.nextFinish = finish;
		}
		if (data.attention.length > 0) summary.attention++;
		for (const code of data.attention) counts.set(code, (counts.get(code) ?? 0) + 1);
	}
	summary.reasons = [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).map(([code]) => code);
	return summary;
}

export type Shown = 'all' | 'online' | 'printing' | 'attention';

/** Whether a printer belongs to what a tile counts. */
export function belongs(printer: { online: boolean; printing: boolean; urgent: boolean }, shown: Shown): boolean {
	if (shown === 'online') return printer.online;
	if (shown === 'printing') return printer.printing;
	if (shown === 'attention') return printer.urgent;
	return true;
}
