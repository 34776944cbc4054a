import { describe, expect, it } from 'vitest';
import { placeAt, pointAt } from './format';
import { linesOf } from './lines';
import { parseWhole, two } from './sample';

describe('tool path', () => {
	it('is read as it was written', () => {
		const path = parseWhole(two());
		expect([path.layers, path.bytes]).toEqual([2, 300]);
		expect(path.box).toEqual([[0, 0, 0.25], [10, 20, 0.5]]);
		expect(pointAt(path, 1)).toEqual([10, 0, 0.25]);
		expect(pointAt(path, 3)).toEqual([0, 20, 0.5]);
	});

	it('tells the place at a position in the file', () => {
		const path = parseWhole(two());
		expect(placeAt(path, 50)).toBeUndefined();
		expect(placeAt(path, 150)).toEqual({ layer: 0, point: [5, 0, 0.25] });
		expect(placeAt(path, 260)).toEqual({ layer: 1, point: [0, 10, 0.5] });
		expect(placeAt(path, 9_999)).toEqual({ layer: 1, point: [0, 20, 0.5] });
	});

	it('refuses what is none, or is cut off', () => {
		expect(() => parseWhole(new ArrayBuffer(10))).toThrow();
		expect(() => parseWhole(new ArrayBuffer(100))).toThrow();
		const whole = two();
		for (let length = 0; length < whole.byteLength; length++) expect(() => parseWhole(whole.slice(0, length)), `${length} bytes`).toThrow();
		const first = new Uint8Array(two());
		first[3] = 0x31;
		expect(() => parseWhole(first.buffer)).toThrow();
	});

	it('never points outside of itself, whatever it was damaged to', () => {
		let seed = 1;
		const chance = (below: number) => (seed = (seed * 48271) % 0x7fffffff) % below;
		let read = 0;
		for (let round = 0; round < 3000; round++) {
			const bytes = new Uint8Array(two());
			for (let n = chance(3); n >= 0; n--) bytes[chance(2) ? chance(bytes.length) : 4 + chance(12)] = chance(3) ? chance(4) : chance(256);
			let path;
			try {
				path = parseWhole(bytes.buffer);
			} catch {
				continue;
			}
			read++;
			const { index, points } = linesOf(path);
			for (const i of [...index, ...points.map((n) => n - 1).filter((n) => n !== 0xffffffff)]) expect(i).toBeLessThan(path.points.length / 4);
			placeAt(path, chance(400));
		}
		expect(read).toBeGreaterThan(100);
	});
});
