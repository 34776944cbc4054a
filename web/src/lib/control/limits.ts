import { number } from '$lib/i18n/format.svelte';
import { m } from '$lib/paraglide/messages';
import type { Limits } from './answer';
import { highest, usual } from './limits.gen';
import { readFigure, readWithin, type Range } from './figure';

export { highest, usual };

/** What is wrong with a text that ought to be a number within a range; undefined for nothing. */
export function rangeFault(text: string, range: Range | undefined): string | undefined {
	const read = readWithin(text, range);
	if (!('wrong' in read)) return undefined;
	if (read.wrong === 'out_of_range') return m.control_wrong_range({ min: number(read.range.min), max: number(read.range.max) });
	return read.wrong === 'empty' ? m.control_wrong_empty() : m.control_wrong_number();
}

/** An owner's limits as they stand in fields: empty is not set. */
export interface WrittenLimits {
	tool: string;
	bed: string;
	chamber: string;
	terminal: string;
}

export function written(limits: Limits | undefined): WrittenLimits {
	const most = limits?.max_temperatures;
	const figure = (value: number | null | undefined) => (typeof value === 'number' ? String(value) : '');
	return { tool: figure(most?.tool), bed: figure(most?.bed), chamber: figure(most?.chamber), terminal: (limits?.terminal ?? []).join(', ') };
}

/** The fields as the server takes them, or what is wrong with which. */
export function limitsFrom(fields: WrittenLimits): { limits: Limits; wrong: Partial<Record<keyof WrittenLimits, string>> } {
	const wrong: Partial<Record<keyof WrittenLimits, string>> = {};
	const most: Limits['max_temperatures'] = {};
	for (const part of ['tool', 'bed', 'chamber'] as const) {
		if (fields[part].trim() === '') continue;
		const fault = rangeFault(fields[part], { min: 1, max: highest[part] });
		if (fault) wrong[part] = fault;
		else most[part] = readFigure(fields[part]);
	}
	const terminal = fields.terminal.split(/[\s,]+/).filter(Boolean);
	return { limits: { max_temperatures: most, ...(terminal.length > 0 ? { terminal } : {}) }, wrong };
}
