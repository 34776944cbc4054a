import { describe, expect, it } from 'vitest';
import { countOf, linesOf, rangesOf, takeOf, type Lines } from './lines';
import { parseWhole, sampleOf, two, type SamplePath } from './sample';

/** The lines of these ranges as "from-to". */
const shown = ({ index, parts }: Lines, from: number, to: number): string[] =>
	rangesOf(parts, from, to).flatMap(({ start, count }) => Array.from({ length: count / 2 }, (_, i) => `${index[start + 2 * i]}-${index[start + 2 * i + 1]}`));

/** A wall and an infill of n points each. */
const layer = (n: number, z: number): SamplePath[] =>
	[1, 4].map((kind, i) => ({ kind, begin: 40 * i, points: Array.from({ length: n }, (_, x): [number, number, number, number] => [x, i, z, x]) }));

describe('lines of a tool path', () => {
	it('have each line once, and only those of the layers asked for', () => {
		const lines = linesOf(parseWhole(two()));
		expect(shown(lines, 0, 2).sort()).toEqual(['0-1', '2-3']);
		expect(shown(lines, 0, 1)).toEqual(['0-1']);
		expect(shown(lines, 1, 2)).toEqual(['2-3']);
		expect([...lines.points]).toEqual([2, 4]);
		expect([...lines.colours.slice(0, 4)]).toEqual([232, 122, 47, 255]);
		expect([...lines.colours.slice(8, 12)]).toEqual([91, 143, 190, 255]);
	});

	it('are the same whatever the parts', () => {
		const lines = linesOf(parseWhole(sampleOf(Array.from({ length: 40 }, (_, z) => layer(5, z)))));
		for (const [from, to] of [[0, 40], [7, 8], [16, 17], [0, 3], [13, 29]] as const) {
			const want: string[] = [];
			for (let p = 2 * from; p < 2 * to; p++) for (let i = 0; i < 4; i++) want.push(`${5 * p + i}-${5 * p + i + 1}`);
			expect(shown(lines, from, to).sort()).toEqual(want.sort());
		}
	});

	it('begin with the outside of few layers, and a sketch of them has no more than it should', () => {
		const lines = linesOf(parseWhole(sampleOf(Array.from({ length: 64 }, (_, z) => layer(700, z)))));
		expect(countOf(rangesOf(lines.parts.slice(0, 1), 0, 64))).toBe(4 * 699 * 2);
		const [coarse, finer] = lines.sketches.map((part) => countOf(rangesOf([part], 0, 64)) / 2);
		expect(coarse).toBeGreaterThan(1000);
		expect(coarse).toBeLessThan(5000);
		expect(finer).toBeGreaterThan(coarse!);
		expect(finer).toBeLessThan(20_000);
		// A way ends where it ends, in a sketch too.
		const { from, upTo } = lines.sketches[0]!;
		expect(lines.index[from + upTo[1]! - 1]).toBe(699);
	});

	it('are taken by pieces of whole lines', () => {
		const ranges = [{ start: 0, count: 6 }, { start: 20, count: 4 }];
		expect(takeOf(ranges, 4)).toEqual([{ start: 0, count: 4 }]);
		expect(takeOf(ranges, 5)).toEqual([{ start: 4, count: 2 }, { start: 20, count: 2 }]);
		expect(takeOf(ranges, 100)).toEqual([{ start: 22, count: 2 }]);
		expect(ranges).toEqual([]);
	});
});
