import { describe, expect, it } from 'vitest';
import type { History } from '$lib/api/types';
import { append, extentOf, fromHistory, sampleRows, type Columns } from './columns';

const history = (t: number[], columns: History['columns'], step: History['step'] = 10): History => ({
	from: '',
	to: '',
	step,
	t,
	columns
});

describe('fromHistory', () => {
	it('puts nozzles before the bed and leaves other columns out', () => {
		const columns = fromHistory(
			history([0, 10], { 'bed.actual': [60, 61], 'tool0.actual': [200, 201], completion: [1, 2], status: ['printing', 'printing'] })
		);
		expect(columns.lines.map((line) => `${line.heater}.${line.kind}`)).toEqual([
			'tool0.target',
			'tool0.actual',
			'bed.target',
			'bed.actual'
		]);
		expect(columns.lines[1]?.values).toEqual([200, 201]);
		expect(columns.lines[0]?.values).toEqual([null, null]);
	});

	it('breaks the line where the printer was silent', () => {
		const columns = fromHistory(history([0, 10, 300, 310], { 'tool0.actual': [200, 201, 30, 31] }));
		expect(columns.t).toEqual([0, 10, 20, 300, 310]);
		expect(columns.lines[1]?.values).toEqual([200, 201, null, 30, 31]);
	});

	it('survives a column shorter than the times', () => {
		expect(fromHistory(history([0, 10], { 'bed.actual': [60] })).lines[1]?.values).toEqual([60, null]);
		expect(fromHistory(history([], {}))).toEqual({ t: [], lines: [] });
	});
});

describe('append', () => {
	const now = (actual: number) => ({ tool0: { actual, target: 200 } });

	it('moves the end of the line until a step has passed', () => {
		const columns: Columns = fromHistory(history([0, 10], { 'tool0.actual': [20, 21], 'tool0.target': [200, 200] }));
		let settled = 10;
		for (let at = 11; at <= 31; at++) settled = append(columns, at, now(at), 10, 0, settled);
		// The moving end is replaced each second; one reading a step stays.
		expect(columns.t.length).toBeLessThanOrEqual(6);
		expect(columns.t.at(-1)).toBe(31);
		expect(columns.lines[1]?.values.at(-1)).toBe(31);
		expect([...columns.t].sort((a, b) => a - b)).toEqual(columns.t);
		for (const line of columns.lines) expect(line.values.length).toBe(columns.t.length);
	});

	it('ignores what is not newer, leaves a gap after a silence, and drops the past', () => {
		const columns: Columns = fromHistory(history([0, 10], { 'tool0.actual': [20, 21] }));
		expect(append(columns, 10, now(99), 10, 0, 10)).toBe(10);
		expect(columns.t).toEqual([0, 10]);
		append(columns, 500, now(50), 10, 0, 10);
		expect(columns.t).toEqual([0, 10, 20, 500]);
		expect(columns.lines[1]?.values).toEqual([20, 21, null, 50]);
		append(columns, 520, now(51), 10, 400, 500);
		expect(columns.t[0]).toBe(20);
	});

	it('takes a heater that appears later', () => {
		const columns: Columns = { t: [0], lines: [] };
		append(columns, 10, { chamber: { actual: 40, target: null } }, 10, 0, 0);
		expect(columns.lines.map((line) => line.values)).toEqual([
			[null, null],
			[null, 40]
		]);
		append(columns, 20, { bed: { actual: 60, target: 60 }, chamber: { actual: 41, target: null }, tool0: { actual: 200, target: 210 } }, 10, 0, 10);
		expect(columns.lines.filter((line) => line.kind === 'actual').map((line) => [line.heater, ...line.values])).toEqual([
			['tool0', null, null, 200],
			['bed', null, null, 60],
			['chamber', null, 40, 41]
		]);
	});
});

describe('extentOf', () => {
	it('skips gaps', () => {
		expect(extentOf([null, 3, null, 1, 2])).toEqual({ min: 1, max: 3, last: 2 });
		expect(extentOf([null])).toBeUndefined();
	});
});

describe('sampleRows', () => {
	it('spreads evenly and starts with the newest', () => {
		const columns: Columns = {
			t: Array.from({ length: 101 }, (_, i) => i),
			lines: [{ heater: 'bed', kind: 'actual', values: Array.from({ length: 101 }, (_, i) => i) }]
		};
		expect(sampleRows(columns, 5)).toEqual([100, 75, 50, 25, 0]);
		expect(sampleRows({ t: [1, 2], lines: [{ heater: 'bed', kind: 'actual', values: [null, 4] }] }, 5)).toEqual([1]);
	});
});
