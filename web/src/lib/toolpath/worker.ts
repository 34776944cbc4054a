import { parseToolpath } from './format';
import { linesOf, type Lines } from './lines';
import { pieces } from './stream';

/** What the page is told, in this order: the lines, points as they come, the end; or why there is none. */
export type Told =
	| { before: ArrayBuffer; count: number; lines: Lines }
	| { points: Uint16Array<ArrayBuffer>; at: number }
	| { done: true }
	| { refused: { status: number; body: string; headers: [string, string][] } }
	| { unreachable: true }
	| { error: string };

const tell = (what: Told, transfer: Transferable[] = []) => self.postMessage(what, { transfer });

/** Fetches a tool path and takes it apart beside the page, which stays smooth meanwhile. */
self.onmessage = async ({ data: url }: MessageEvent<string>) => {
	try {
		const response = await fetch(url, { credentials: 'same-origin' });
		if (!response.ok || !response.body) {
			const headers = [...response.headers].filter(([name]) => name === 'retry-after');
			return tell({ refused: { status: response.status, body: await response.text(), headers } });
		}
		for await (const piece of pieces(chunks(response.body))) {
			if ('points' in piece) {
				tell(piece, [piece.points.buffer]);
				continue;
			}
			const lines = linesOf(parseToolpath(piece.before, new Uint16Array(4 * piece.count)));
			const buffers = [piece.before, lines.index.buffer, lines.colours.buffer, lines.points.buffer];
			tell({ ...piece, lines }, [...buffers, ...[...lines.parts, ...lines.sketches].map((part) => part.upTo.buffer)]);
		}
		tell({ done: true });
	} catch (thrown) {
		// A TypeError is how fetch says that the network is gone.
		if (thrown instanceof TypeError) tell({ unreachable: true });
		else tell({ error: thrown instanceof Error ? thrown.message : String(thrown) });
	}
};

/** Safari's streams cannot be iterated. */
async function* chunks(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
	const reader = stream.getReader();
	for (;;) {
		const { done, value } = await reader.read();
		if (done) return;
		yield value;
	}
}
