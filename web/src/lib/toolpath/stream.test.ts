import { describe, expect, it } from 'vitest';
import { sampleOf, two } from './sample';
import { pieces, type Piece } from './stream';

async function* cut(buffer: ArrayBuffer, every: number): AsyncGenerator<Uint8Array> {
	for (let at = 0; at < buffer.byteLength; at += every) yield new Uint8Array(buffer.slice(at, at + every));
}

async function all(buffer: ArrayBuffer, every: number): Promise<Piece[]> {
	const list: Piece[] = [];
	for await (const piece of pieces(cut(buffer, every))) list.push(piece);
	return list;
}

describe('what comes of a tool path', () => {
	it('is the same however it is cut', async () => {
		for (const every of [1, 7, 80, 81, 150, 1000]) {
			const [head, ...rest] = await all(two(), every);
			expect(head).toMatchObject({ count: 4 });
			expect(rest).toEqual([{ at: 0, points: Uint16Array.of(0, 0, 1, 0, 20, 0, 1, 100, 0, 0, 2, 0, 0, 40, 2, 80) }]);
		}
	});

	it('is handed on before its end', async () => {
		const points = Array.from({ length: 40_000 }, (_, i): [number, number, number, number] => [i, 0, 1, 0]);
		const buffer = sampleOf([[{ kind: 1, begin: 0, points }]]);
		const [, ...rest] = await all(buffer, 10_000);
		expect(rest.map((piece) => ('points' in piece ? [piece.at, piece.points.length] : undefined))).toEqual([[0, 65_536], [65_536, 65_536], [131_072, 28_928]]);
		expect(rest.map((piece) => ('points' in piece ? piece.points[0] : undefined))).toEqual([0, 16_384, 32_768]);
	});

	it('is refused when it ends too soon', async () => {
		for (let length = 0; length < two().byteLength; length += 5) await expect(all(two().slice(0, length), 64), `${length} bytes`).rejects.toThrow();
	});
});
