import { HEAD, sizesOf } from './format';

/** What comes of a tool path: all before the points at first, then the points piece by piece. */
export type Piece = { before: ArrayBuffer; count: number } | { points: Uint16Array<ArrayBuffer>; at: number };

/** Numbers of the points that are handed on at once, at least: a few layers. */
const ENOUGH = 4 * 16_384;

/** Reads what the server sends while it comes. Throws when it is something else, or ends too soon. */
export async function* pieces(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Piece> {
	let head = new Uint8Array(HEAD);
	let at = 0;
	let sizes: ReturnType<typeof sizesOf> | undefined;
	let begun = false;
	let batch = new Uint8Array(0);
	let filled = 0;
	let given = 0; // bytes of points
	for await (let chunk of chunks) {
		while (chunk.length > 0) {
			if (!begun) {
				const n = Math.min(chunk.length, head.length - at);
				head.set(chunk.subarray(0, n), at);
				at += n;
				chunk = chunk.subarray(n);
				if (at < head.length) continue;
				if (!sizes) {
					sizes = sizesOf(new DataView(head.buffer));
					const longer = new Uint8Array(sizes.before);
					longer.set(head);
					head = longer;
					continue;
				}
				begun = true;
				yield { before: head.buffer, count: sizes.points };
			}
			const left = 8 * sizes!.points - given - filled;
			if (left === 0) return; // what follows is of no use
			if (batch.length === 0) batch = new Uint8Array(Math.min(2 * ENOUGH, 8 * sizes!.points - given));
			const n = Math.min(chunk.length, batch.length - filled);
			batch.set(chunk.subarray(0, n), filled);
			filled += n;
			chunk = chunk.subarray(n);
			if (filled === batch.length) {
				yield { points: new Uint16Array(batch.buffer), at: given / 2 };
				given += filled;
				batch = new Uint8Array(0);
				filled = 0;
			}
		}
	}
	if (!begun || given < 8 * sizes!.points) throw new Error('the tool path is cut off');
}
