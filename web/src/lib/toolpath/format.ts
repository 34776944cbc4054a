/** The way of a nozzle by layers, as the server draws it: see internal/server/file/gcode/toolpath.go for the form. */
export interface Toolpath {
	layers: number;
	/** Bytes of the plain text that the offsets count in. */
	bytes: number;
	/** How far a line may be from the real one, mm. */
	tolerance: number;
	/** Where in the text each layer begins, and where its last printing move ends. */
	begin: Float64Array;
	end: Float64Array;
	/** mm */
	z: Float32Array;
	/** First path of each layer, and one more: paths before the first layer's are the start code's. */
	firstPath: Uint32Array;
	/** First point of each path, and one more. */
	firstPoint: Uint32Array;
	/** Where in the text a path begins, from its layer's begin, or from 0 for the start code. */
	pathBegin: Uint32Array;
	/** x, y, z and where in the text the move ends, from its path's begin: four numbers a point. */
	points: Uint16Array<ArrayBuffer>;
	kind: Uint8Array;
	tool: Uint8Array;
	/** Millimetres of a point: origin + number × step. */
	origin: [number, number, number];
	step: [number, number, number];
	/** What the layers print lies between these corners, mm. */
	box: [[number, number, number], [number, number, number]];
}

/** Bytes of the part whose length is known beforehand. */
export const HEAD = 80;
const LITTLE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** More than the server writes: what says so is damaged. */
const MOST = 1 << 22;

export interface Sizes {
	layers: number;
	paths: number;
	points: number;
	/** Bytes of all before the points. */
	before: number;
}

/** How long what the server sends is, by its first HEAD bytes. Throws when it is something else. */
export function sizesOf(head: DataView): Sizes {
	if (head.byteLength < HEAD || head.getUint32(0, false) !== 0x46545032) throw new Error('no tool path');
	if (!LITTLE) throw new Error('this machine counts bytes the other way round');
	const [layers, paths, points] = [4, 8, 12].map((at) => head.getUint32(at, true)) as [number, number, number];
	if (Math.max(layers, paths, points) > MOST) throw new Error('the tool path is damaged');
	return { layers, paths, points, before: HEAD + 24 * layers + 10 * paths + 8 };
}

/**
 * Lays arrays on what the server sends before the points, and takes those as they are or become. Throws when it is something
 * else, or cut off, or when a place in it is outside of it.
 */
export function parseToolpath(buffer: ArrayBuffer, points: Uint16Array<ArrayBuffer>): Toolpath {
	const view = new DataView(buffer);
	const { layers, paths, points: count, before } = sizesOf(view);
	if (buffer.byteLength < before || points.length < 4 * count) throw new Error('the tool path is cut off');
	let at = HEAD;
	const take = (bytes: number) => (at += bytes) - bytes;
	// In the order of the file, which keeps each array at a multiple of its numbers' size.
	const begin = new Float64Array(buffer, take(8 * layers), layers);
	const end = new Float64Array(buffer, take(8 * layers), layers);
	const z = new Float32Array(buffer, take(4 * layers), layers);
	const firstPath = new Uint32Array(buffer, take(4 * (layers + 1)), layers + 1);
	const firstPoint = new Uint32Array(buffer, take(4 * (paths + 1)), paths + 1);
	const pathBegin = new Uint32Array(buffer, take(4 * paths), paths);
	const kind = new Uint8Array(buffer, take(paths), paths);
	const tool = new Uint8Array(buffer, take(paths), paths);
	if (!rises(firstPath, paths) || !rises(firstPoint, count)) throw new Error('the tool path is damaged');
	const real = (from: number) => view.getFloat32(from, true);
	const flat = real(36);
	return {
		layers,
		bytes: view.getFloat64(16, true),
		tolerance: real(44),
		box: [
			[real(56), real(60), real(64)],
			[real(68), real(72), real(76)]
		],
		...{ begin, end, z, firstPath, firstPoint, pathBegin, kind, tool, points },
		origin: [real(24), real(28), real(32)],
		step: [flat, flat, real(40)]
	};
}

function rises(list: Uint32Array, most: number): boolean {
	let last = 0;
	for (const n of list) {
		if (n < last) return false;
		last = n;
	}
	return last <= most;
}

/** A point in mm. */
export function pointAt(path: Toolpath, index: number): [number, number, number] {
	return [0, 1, 2].map((axis) => (path.origin[axis] ?? 0) + (path.points[4 * index + axis] ?? 0) * (path.step[axis] ?? 0)) as [number, number, number];
}

/** The last index of a sorted list whose value is not beyond `value`; −1 when all are. */
function lastNotBeyond(list: { readonly length: number; readonly [i: number]: number }, value: number, from = 0, to = list.length): number {
	let low = from;
	let high = to;
	while (low < high) {
		const middle = (low + high) >> 1;
		if ((list[middle] ?? Infinity) <= value) low = middle + 1;
		else high = middle;
	}
	return low - 1;
}

/** Where the nozzle is at a position in the text: approximate, since firmware reads ahead of what it does. */
export function placeAt(path: Toolpath, position: number): { layer: number; point: [number, number, number] } | undefined {
	const layer = lastNotBeyond(path.begin, position);
	if (layer < 0) return undefined;
	const first = path.firstPath[layer] ?? 0;
	const next = path.firstPath[layer + 1] ?? first;
	const within = position - (path.begin[layer] ?? 0);
	const index = lastNotBeyond(path.pathBegin, within, first, next);
	if (index < first) return { layer, point: [0, 0, path.z[layer] ?? 0] };
	const from = path.firstPoint[index] ?? 0;
	const to = path.firstPoint[index + 1] ?? from;
	if (to <= from) return undefined;
	const done = within - (path.pathBegin[index] ?? 0);
	let at = from;
	while (at + 1 < to && (path.points[4 * (at + 1) + 3] ?? 0) <= done) at++;
	const here = pointAt(path, at);
	if (at + 1 >= to) return { layer, point: here };
	const there = pointAt(path, at + 1);
	const begun = at === from ? 0 : (path.points[4 * at + 3] ?? 0);
	const length = (path.points[4 * (at + 1) + 3] ?? 0) - begun;
	const share = length > 0 ? Math.min(Math.max((done - begun) / length, 0), 1) : 0;
	return { layer, point: [0, 1, 2].map((axis) => (here[axis] ?? 0) + ((there[axis] ?? 0) - (here[axis] ?? 0)) * share) as [number, number, number] };
}
