import type { Toolpath } from './format';

/** Lines to draw, in the order of the layers: two corners a line. */
export interface Segments {
	/** x, y, z in mm. */
	positions: Float32Array<ArrayBuffer>;
	/** r, g, b, 0…255. */
	colours: Uint8Array<ArrayBuffer>;
	/** How many corners the layers up to and with this one have. */
	upTo: Uint32Array<ArrayBuffer>;
	min: [number, number, number];
	max: [number, number, number];
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

/** Takes a tool path apart into lines. The start code's are left out: they are no part of the thing. */
export function segmentsOf(path: Toolpath): Segments {
	const first = path.firstPath[0] ?? 0;
	const last = path.firstPath[path.layers] ?? first;
	let lines = 0;
	for (let p = first; p < last; p++) lines += Math.max(0, (path.firstPoint[p + 1] ?? 0) - (path.firstPoint[p] ?? 0) - 1);
	const positions = new Float32Array(lines * 6);
	const colours = new Uint8Array(lines * 6);
	const upTo = new Uint32Array(path.layers);
	const min: [number, number, number] = [Infinity, Infinity, Infinity];
	const max: [number, number, number] = [-Infinity, -Infinity, -Infinity];
	const [ox, oy, oz] = path.origin;
	const [sx, sy, sz] = path.step;
	let at = 0;
	const corner = (index: number, colour: readonly [number, number, number]) => {
		const x = ox + (path.points[4 * index] ?? 0) * sx;
		const y = oy + (path.points[4 * index + 1] ?? 0) * sy;
		const z = oz + (path.points[4 * index + 2] ?? 0) * sz;
		positions[at] = x;
		positions[at + 1] = y;
		positions[at + 2] = z;
		colours[at] = colour[0];
		colours[at + 1] = colour[1];
		colours[at + 2] = colour[2];
		at += 3;
		if (x < min[0]) min[0] = x;
		if (y < min[1]) min[1] = y;
		if (z < min[2]) min[2] = z;
		if (x > max[0]) max[0] = x;
		if (y > max[1]) max[1] = y;
		if (z > max[2]) max[2] = z;
	};
	for (let layer = 0; layer < path.layers; layer++) {
		const to = path.firstPath[layer + 1] ?? 0;
		for (let p = path.firstPath[layer] ?? 0; p < to; p++) {
			const colour = COLOURS[path.kind[p] ?? 0] ?? COLOURS[0]!;
			const end = (path.firstPoint[p + 1] ?? 0) - 1;
			for (let i = path.firstPoint[p] ?? 0; i < end; i++) {
				corner(i, colour);
				corner(i + 1, colour);
			}
		}
		upTo[layer] = at / 3;
	}
	return { positions, colours, upTo, min, max };
}
