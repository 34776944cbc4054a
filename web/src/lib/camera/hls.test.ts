import { expect, test } from 'vitest';
import { holds } from './hls';

/** As a video element tells it. */
const ranges = (...list: [start: number, end: number][]): TimeRanges => ({
	length: list.length,
	start: (i) => list[i]![0],
	end: (i) => list[i]![1]
});

test.each([
	[ranges(), 1, false],
	[ranges([0, 4]), 2, true],
	[ranges([0, 4]), 3.95, false], // nothing to play behind it
	[ranges([0, 4]), 5, false],
	[ranges([0, 4], [6, 9]), 5, false],
	[ranges([0, 4], [6, 9]), 6, true]
])('a place is jumped to only where there is something to play', (buffered, place, there) => {
	expect(holds(buffered, place)).toBe(there);
});
