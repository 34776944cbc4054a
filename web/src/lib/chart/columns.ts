import type { History, Temperature } from '$lib/api/types';
import { heatersOf } from '$lib/printer/heaters';

/** Temperatures over time as a chart wants them: one list of times, one list of values a line, null for a gap. */
export interface Columns {
	/** Unix seconds, rising. */
	t: number[];
	lines: Line[];
}

export interface Line {
	/** tool0, bed, chamber… */
	heater: string;
	kind: 'actual' | 'target';
	values: (number | null)[];
}

/** A silence longer than this many steps is drawn as a gap, not as a straight line that nobody measured. */
const GAP_STEPS = 2.5;

/** The server's history as columns. Nozzles first, then bed, chamber and the rest; targets below their readings. */
export function fromHistory(history: History): Columns {
	const heaters = heatersOf(
		Object.fromEntries(
			Object.keys(history.columns)
				.filter((name) => name.endsWith('.actual'))
				.map((name) => [name.slice(0, -'.actual'.length), { actual: null, target: null }])
		)
	);
	const columns: Columns = {
		t: [],
		lines: heaters.flatMap(({ key }) => [
			{ heater: key, kind: 'target' as const, values: [] },
			{ heater: key, kind: 'actual' as const, values: [] }
		])
	};
	history.t.forEach((at, row) => {
		breakAfterSilence(columns, at, history.step);
		columns.t.push(at);
		for (const line of columns.lines) {
			const value = history.columns[`${line.heater}.${line.kind}`]?.[row];
			line.values.push(typeof value === 'number' ? value : null);
		}
	});
	return columns;
}

/**
 * Adds what the printer says now. Readings come once a second, but a chart of `step` seconds needs no more than one a
 * step: until the next is due the newest reading moves the line's end. What is older than `from` is dropped. `settled`
 * is the time of the last reading that stays; hand the result back in with the next reading.
 */
export function append(
	columns: Columns,
	at: number,
	temperatures: Record<string, Temperature>,
	step: number,
	from: number,
	settled: number
): number {
	const last = columns.t.at(-1);
	if (last !== undefined && at <= last) return settled;
	for (const { key } of heatersOf(temperatures)) addHeater(columns, key);
	const moving = last !== undefined && last > settled;
	if (moving && at - settled < step) removeLast(columns);
	else {
		if (last !== undefined) settled = last;
		breakAfterSilence(columns, at, step);
	}
	columns.t.push(at);
	for (const line of columns.lines) line.values.push(temperatures[line.heater]?.[line.kind] ?? null);
	dropBefore(columns, from);
	return settled;
}

function addHeater(columns: Columns, heater: string): void {
	if (columns.lines.some((line) => line.heater === heater)) return;
	for (const kind of ['target', 'actual'] as const) {
		columns.lines.push({ heater, kind, values: columns.t.map(() => null) });
	}
	// Where it would stand had it been known from the beginning.
	const order = heatersOf(Object.fromEntries(columns.lines.map((line) => [line.heater, { actual: null, target: null }]))).map(({ key }) => key);
	columns.lines.sort((a, b) => order.indexOf(a.heater) - order.indexOf(b.heater));
}

function breakAfterSilence(columns: Columns, at: number, step: number): void {
	const last = columns.t.at(-1);
	if (last === undefined || at - last <= step * GAP_STEPS) return;
	columns.t.push(last + step);
	for (const line of columns.lines) line.values.push(null);
}

function removeLast(columns: Columns): void {
	columns.t.pop();
	for (const line of columns.lines) line.values.pop();
}

function dropBefore(columns: Columns, from: number): void {
	// One reading before the edge stays, so that the line reaches it.
	let old = 0;
	while (old + 1 < columns.t.length && (columns.t[old + 1] ?? Infinity) < from) old++;
	if (old === 0) return;
	columns.t.splice(0, old);
	for (const line of columns.lines) line.values.splice(0, old);
}

export interface Extent {
	min: number;
	max: number;
	last: number;
}

/** Lowest, highest and newest reading of a line; undefined when it has none. */
export function extentOf(values: (number | null)[]): Extent | undefined {
	let extent: Extent | undefined;
	for (const value of values) {
		if (value === null) continue;
		extent ??= { min: value, max: value, last: value };
		extent.min = Math.min(extent.min, value);
		extent.max = Math.max(extent.max, value);
		extent.last = value;
	}
	return extent;
}

/** Rows for those who read the chart as a table: at most `count` places, evenly spread, newest first. */
export function sampleRows(columns: Columns, count: number): number[] {
	const places = columns.t.map((_, at) => at).filter((at) => columns.lines.some((line) => line.values[at] !== null));
	if (places.length <= count) return places.reverse();
	const rows = new Set<number>();
	for (let i = 0; i < count; i++) rows.add(places[Math.round((i * (places.length - 1)) / (count - 1))] ?? 0);
	return [...rows].sort((a, b) => b - a);
}
