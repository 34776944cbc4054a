import { HEAD, parseToolpath, sizesOf, type Toolpath } from './format';

export interface SamplePath {
	kind: number;
	/** Where in the text it begins, from its layer's begin. */
	begin: number;
	/** x, y, z in steps, and where in the text the move ends. */
	points: [number, number, number, number][];
}

/** A tool path as the server sends it, for tests: steps of 0.5 mm, and of 0.25 mm in z; the text of a layer has 100 bytes and begins at 100. */
export function sampleOf(layers: SamplePath[][]): ArrayBuffer {
	const paths = layers.flat();
	const points = paths.flatMap((path) => path.points);
	const [L, P, N] = [layers.length, paths.length, points.length];
	const buffer = new ArrayBuffer(HEAD + 24 * L + 4 + 10 * P + 4 + 8 * N);
	const view = new DataView(buffer);
	let at = 0;
	const u32 = (...list: number[]) => list.forEach((n) => (view.setUint32(at, n, true), (at += 4)));
	const f32 = (...list: number[]) => list.forEach((n) => (view.setFloat32(at, n, true), (at += 4)));
	const f64 = (...list: number[]) => list.forEach((n) => (view.setFloat64(at, n, true), (at += 8)));
	const u16 = (...list: number[]) => list.forEach((n) => (view.setUint16(at, n, true), (at += 2)));
	const u8 = (...list: number[]) => list.forEach((n) => (view.setUint8(at, n), (at += 1)));
	const sums = (list: number[]) => list.reduce((all, n) => [...all, (all.at(-1) ?? 0) + n], [0]);
	const most = (i: 0 | 1 | 2, step: number, of: (a: number, b: number) => number) => points.map((point) => point[i] * step).reduce(of);
	view.setUint32(at, 0x46545032);
	at += 4;
	u32(L, P, N);
	f64(100 * (L + 1));
	f32(0, 0, 0, 0.5, 0.25, 0.01);
	u16(1, 1);
	u32(0);
	for (const of of [(a: number, b: number) => Math.min(a, b), (a: number, b: number) => Math.max(a, b)]) f32(most(0, 0.5, of), most(1, 0.5, of), most(2, 0.25, of));
	f64(...layers.map((_, i) => 100 * (i + 1)));
	f64(...layers.map((_, i) => 100 * (i + 2)));
	f32(...layers.map((_, i) => 0.25 * (i + 1)));
	u32(...sums(layers.map((layer) => layer.length)));
	u32(...sums(paths.map((path) => path.points.length)));
	u32(...paths.map((path) => path.begin));
	u8(...paths.map((path) => path.kind), ...paths.map(() => 0));
	for (const point of points) u16(...point);
	return buffer;
}

/** All of it at once. */
export function parseWhole(buffer: ArrayBuffer): Toolpath {
	const { before, points } = sizesOf(new DataView(buffer));
	return parseToolpath(buffer.slice(0, before), new Uint16Array(buffer.slice(before, before + 8 * points)));
}

/** Two layers with one path each: along x from 0 to 10, then along y from 0 to 20. */
export const two = (): ArrayBuffer =>
	sampleOf([
		[{ kind: 1, begin: 0, points: [[0, 0, 1, 0], [20, 0, 1, 100]] }],
		[{ kind: 4, begin: 20, points: [[0, 0, 2, 0], [0, 40, 2, 80]] }]
	]);
