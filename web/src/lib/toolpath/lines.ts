import type { Toolpath } from './format';

/**
 * Lines to draw, as pairs of points' numbers. They are in parts, each of which is in the order of the layers: the parts one
 * after the other make a picture that is coarse first and ends whole, so a slow machine can stop wherever its time is up.
 */
export interface Lines {
	index: Uint32Array<ArrayBuffer>;
	/** r, g, b, 255 of each point. */
	colours: Uint8Array<ArrayBuffer>;
	/** The picture's parts. */
	parts: Part[];
	/** What is drawn while a picture is turned that takes too long: few and long lines of the outside, from coarse to finer. */
	sketches: Part[];
	/** How many points have to be there for the layers up to and with this one. */
	points: Uint32Array<ArrayBuffer>;
}

export interface Part {
	/** Where in the index it begins. */
	from: number;
	/** How many numbers of it the layers before this one have: one more than there are layers. */
	upTo: Uint32Array<ArrayBuffer>;
}

/** By kind of path: walls bright, what is inside quieter, what is thrown away grey. The server's numbers. */
const COLOURS: readonly (readonly [number, number, number])[] = [
	[143, 163, 184], // other
	[232, 122, 47], // outer wall
	[240, 178, 122], // inner wall
	[214, 73, 73], // overhang
	[91, 143, 190], // infill
	[126, 118, 190], // solid
	[232, 152, 84], // top
	[86, 170, 160], // bridge
	[200, 200, 140], // gap
	[120, 132, 146], // skirt
	[110, 168, 110], // support
	[140, 196, 140], // support interface
	[120, 132, 146] // tower
];

/** The kinds that are seen from outside: other, walls, overhangs, tops, bridges, skirts. */
const OUTSIDE = new Set([0, 1, 3, 6, 7, 9, 11]);

/** How many lines the sketches have at most, about. */
const SKETCHES = [4_000, 16_000];

/** Which layers a part of the picture has, and whether what is seen from outside or the rest. */
const PARTS: readonly { outside: boolean; has: (layer: number) => boolean }[] = [
	{ outside: true, has: (n) => n % 16 === 0 },
	{ outside: true, has: (n) => n % 16 === 8 },
	{ outside: true, has: (n) => n % 8 === 4 },
	{ outside: true, has: (n) => n % 4 === 2 },
	{ outside: true, has: (n) => n % 2 === 1 },
	{ outside: false, has: (n) => n % 4 === 0 },
	{ outside: false, has: (n) => n % 4 !== 0 }
];

/**
 * Sorts a tool path's lines. It needs all that comes before the points, not the points. The start code's are left out: they
 * are no part of the thing.
 */
export function linesOf(path: Toolpath): Lines {
	const first = path.firstPath[0] ?? 0;
	const last = path.firstPath[path.layers] ?? first;
	const lengthOf = (p: number) => Math.max(0, (path.firstPoint[p + 1] ?? 0) - (path.firstPoint[p] ?? 0) - 1);
	let all = 0;
	let outside = 0;
	for (let p = first; p < last; p++) {
		const n = lengthOf(p);
		all += n;
		if (OUTSIDE.has(path.kind[p] ?? 0)) outside += n;
	}
	const index = new Uint32Array(2 * all);
	const sketched: number[] = [];
	let at = 0;

	const part = (outsideOnly: boolean, has: (layer: number) => boolean): Part => {
		const from = at;
		const upTo = new Uint32Array(path.layers + 1);
		for (let layer = 0; layer < path.layers; layer++) {
			const end = has(layer) ? (path.firstPath[layer + 1] ?? 0) : 0;
			for (let p = path.firstPath[layer] ?? 0; p < end; p++) {
				if (OUTSIDE.has(path.kind[p] ?? 0) !== outsideOnly) continue;
				const to = (path.firstPoint[p + 1] ?? 0) - 1;
				for (let i = path.firstPoint[p] ?? 0; i < to; i++) {
					index[at++] = i;
					index[at++] = i + 1;
				}
			}
			upTo[layer + 1] = at - from;
		}
		return { from, upTo };
	};
	const parts = PARTS.map(({ outside, has }) => part(outside, has));

	/** Each so many-th layer, and of its lines each so many-th point. */
	const sketch = (most: number): Part => {
		const thin = Math.max(1, outside / most);
		const points = Math.max(1, Math.min(8, Math.round(Math.sqrt(thin))));
		const layers = Math.max(1, Math.ceil(thin / points));
		const from = 2 * all + sketched.length;
		const upTo = new Uint32Array(path.layers + 1);
		for (let layer = 0; layer < path.layers; layer++) {
			const end = layer % layers === 0 ? (path.firstPath[layer + 1] ?? 0) : 0;
			for (let p = path.firstPath[layer] ?? 0; p < end; p++) {
				if (!OUTSIDE.has(path.kind[p] ?? 0)) continue;
				const to = (path.firstPoint[p + 1] ?? 0) - 1;
				for (let i = path.firstPoint[p] ?? 0; i < to; i += points) sketched.push(i, Math.min(i + points, to));
			}
			upTo[layer + 1] = 2 * all + sketched.length - from;
		}
		return { from, upTo };
	};
	const sketches = SKETCHES.map(sketch);
	const whole = new Uint32Array(2 * all + sketched.length);
	whole.set(index);
	whole.set(sketched, 2 * all);

	const points = new Uint32Array(path.layers);
	for (let layer = 0; layer < path.layers; layer++) points[layer] = path.firstPoint[path.firstPath[layer + 1] ?? 0] ?? 0;
	return { index: whole, colours: coloursOf(path), parts, sketches, points };
}

function coloursOf(path: Toolpath): Uint8Array<ArrayBuffer> {
	const colours = new Uint8Array(path.points.length);
	const words = new Uint32Array(colours.buffer);
	// As bytes in memory: r, g, b, 255 on a machine that counts from the lowest.
	const word = COLOURS.map(([r, g, b]) => (r | (g << 8) | (b << 16) | (255 << 24)) >>> 0);
	for (let p = 0; p < path.kind.length; p++) words.fill(word[path.kind[p] ?? 0] ?? word[0]!, path.firstPoint[p], path.firstPoint[p + 1]);
	return colours;
}

/** A piece of the index: where it begins, and how many numbers. */
export interface Range {
	start: number;
	count: number;
}

/** What the parts have of the layers `from` up to, without, `to`. */
export function rangesOf(parts: readonly Part[], from: number, to: number): Range[] {
	return parts.flatMap(({ from: base, upTo }) => {
		const start = upTo[from] ?? 0;
		const count = (upTo[to] ?? start) - start;
		return count > 0 ? [{ start: base + start, count }] : [];
	});
}

/** Takes the first `count` numbers, two at least, of the index off the ranges; what is left stays in them. */
export function takeOf(ranges: Range[], count: number): Range[] {
	const taken: Range[] = [];
	count = Math.max(2, count - (count % 2)); // whole lines
	while (count > 0 && ranges.length > 0) {
		const range = ranges[0]!;
		const n = Math.min(range.count, count);
		taken.push({ start: range.start, count: n });
		count -= n;
		range.start += n;
		range.count -= n;
		if (range.count === 0) ranges.shift();
	}
	return taken;
}

export const countOf = (ranges: readonly Range[]): number => ranges.reduce((sum, { count }) => sum + count, 0);
