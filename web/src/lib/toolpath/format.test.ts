import { describe, expect, it } from 'vitest';
import { parseToolpath, placeAt, pointAt } from './format';
import { segmentsOf } from './segments';

/** Two layers with one path each: along x from 0 to 10, then along y from 0 to 20; texts of 100 bytes each. */
function sample(): ArrayBuffer {
	const [L, P, N] = [2, 2, 4];
	const size = 56 + 16 * L + 4 * L + 4 * (L + 1) + 4 * (P + 1) + 4 * P + 8 * N + 2 * P;
	const buffer = new ArrayBuffer(size);
	const view = new DataView(buffer);
	view.setUint32(0, 0x46545031);
	[L, P, N].forEach((n, i) => view.setUint32(4 + 4 * i, n, true));
	view.setFloat64(16, 300, true);
	[0, 0, 0].forEach((n, i) => view.setFloat32(24 + 4 * i, n, true));
	view.setFloat32(36, 0.5, true);
	view.setFloat32(40, 0.25, true);
	let at = 56;
	const put = (set: (at: number, n: number) => void, bytes: number, ...list: number[]) => {
		for (const n of list) {
			set(at, n);
			at += bytes;
		}
	};
	const f64 = (o: number, n: number) => view.setFloat64(o, n, true);
	const f32 = (o: number, n: number) => view.setFloat32(o, n, true);
	const u32 = (o: number, n: number) => view.setUint32(o, n, true);
	const u16 = (o: number, n: number) => view.setUint16(o, n, true);
	const u8 = (o: number, n: number) => view.setUint8(o, n);
	put(f64, 8, 100, 200);
	put(f64, 8, 200, 300);
	put(f32, 4, 0.25, 0.5);
	put(u32, 4, 0, 1, 2);
	put(u32, 4, 0, 2, 4);
	put(u32, 4, 0, 20);
	put(u16, 2, 0, 0, 1, 0, 20, 0, 1, 100);
	put(u16, 2, 0, 0, 2, 0, 0, 40, 2, 80);
	put(u8, 1, 1, 4);
	put(u8, 1, 0, 0);
	expect(at).toBe(size);
	return buffer;
}

describe('tool path', () => {
	it('is read as it was written', () => {
		const path = parseToolpath(sample());
		expect([path.layers, path.bytes]).toEqual([2, 300]);
		expect(pointAt(path, 1)).toEqual([10, 0, 0.25]);
		expect(pointAt(path, 3)).toEqual([0, 20, 0.5]);
	});

	it('tells the place at a position in the file', () => {
		const path = parseToolpath(sample());
		expect(placeAt(path, 50)).toBeUndefined();
		expect(placeAt(path, 150)).toEqual({ layer: 0, point: [5, 0, 0.25] });
		expect(placeAt(path, 260)).toEqual({ layer: 1, point: [0, 10, 0.5] });
		expect(placeAt(path, 9_999)).toEqual({ layer: 1, point: [0, 20, 0.5] });
	});

	it('becomes lines, layer by layer', () => {
		const segments = segmentsOf(parseToolpath(sample()));
		expect([...segments.upTo]).toEqual([2, 4]);
		expect([...segments.positions]).toEqual([0, 0, 0.25, 10, 0, 0.25, 0, 0, 0.5, 0, 20, 0.5]);
		expect(segments.max).toEqual([10, 20, 0.5]);
	});

	it('refuses what is none, or is cut off', () => {
		expect(() => parseToolpath(new ArrayBuffer(10))).toThrow();
		expect(() => parseToolpath(new ArrayBuffer(100))).toThrow();
		const whole = sample();
		for (const length of [56, 60, 100, whole.byteLength - 1]) expect(() => parseToolpath(whole.slice(0, length))).toThrow();
	});
});
