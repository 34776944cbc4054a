import { describe, expect, it } from 'vitest';
import { readFigure, readWithin } from './figure';

describe('readFigure', () => {
	it.each([
		['215', 215],
		[' 60 % ', 60],
		['0,4', 0.4],
		['-5', -5],
		['.5', 0.5],
		['210°C', 210]
	])('%j is %d', (text, value) => expect(readFigure(text)).toBe(value));

	it.each(['', 'hot', '1e9', '0x10', '1 2', '--5', 'Infinity', '1.2.3'])('%j is none', (text) =>
		expect(readFigure(text)).toBeUndefined()
	);
});

describe('readWithin', () => {
	const range = { min: 0, max: 300 };

	it('gives what is wrong', () => {
		expect(readWithin(' ', range)).toEqual({ wrong: 'empty' });
		expect(readWithin('hot', range)).toEqual({ wrong: 'no_number' });
		expect(readWithin('301', range)).toEqual({ wrong: 'out_of_range', range });
		expect(readWithin('300', range)).toEqual({ value: 300 });
		expect(readWithin('301', undefined)).toEqual({ value: 301 });
	});
});
