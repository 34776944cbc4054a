import { describe, expect, it } from 'vitest';
import { keep } from './keep';

describe('keep', () => {
	it('returns the old value when nothing changed', () => {
		const before = { a: 1, b: { c: [1, 2, { d: null }] } };
		expect(keep(before, structuredClone(before))).toBe(before);
	});

	it('changes only the branch that changed', () => {
		const before = { temperatures: { tool0: { actual: 20 }, bed: { actual: 60 } }, job: { file: { name: 'a' } } };
		const next = structuredClone(before);
		next.temperatures.tool0.actual = 21;
		const merged = keep(before, next);
		expect(merged).toEqual(next);
		expect(merged).not.toBe(before);
		expect(merged.job).toBe(before.job);
		expect(merged.temperatures.bed).toBe(before.temperatures.bed);
		expect(merged.temperatures.tool0).not.toBe(before.temperatures.tool0);
	});

	it('sees keys that came or went', () => {
		expect(keep<object>({ a: 1, b: 2 }, { a: 1 })).toEqual({ a: 1 });
		expect(keep<object>({ a: 1 }, { a: 1, b: undefined })).toEqual({ a: 1, b: undefined });
		expect(keep<object>({ a: 1, b: 2 }, { a: 1, c: 2 })).toEqual({ a: 1, c: 2 });
	});

	it('keeps lists lists, and does not mix them with objects', () => {
		const before = { attention: ['error', 'print_failed'] };
		const merged = keep(before, { attention: ['error'] });
		expect(merged.attention).toEqual(['error']);
		expect(Array.isArray(merged.attention)).toBe(true);
		expect(keep<unknown>([], {})).toEqual({});
		expect(keep<unknown>(null, {})).toEqual({});
		expect(keep<unknown>({ a: 1 }, null)).toBe(null);
	});
});
