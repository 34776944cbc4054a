/** One part of a multipart answer. */
export interface Part {
	headers: Map<string, string>;
	body: Uint8Array<ArrayBuffer>;
}

const MAX_HEADERS = 4 << 10;
const MAX_PART = 8 << 20;

/**
 * Takes a multipart/x-mixed-replace answer apart as it arrives. Every part must say its Content-Length, as the server's
 * do: no search for a boundary inside a picture. Throws on anything else.
 */
export class MultipartReader {
	#buffer = new Uint8Array(64 << 10);
	#length = 0;
	#part: { headers: Map<string, string>; length: number } | undefined;

	/** Gives the parts that this chunk completes. */
	push(chunk: Uint8Array): Part[] {
		this.#append(chunk);
		const parts: Part[] = [];
		let at = 0;
		for (;;) {
			if (!this.#part) {
				const end = this.#endOfHeaders(at);
				if (end < 0) {
					if (this.#length - at > MAX_HEADERS) throw new Error('multipart: headers without end');
					break;
				}
				const headers = parseHeaders(new TextDecoder('latin1').decode(this.#buffer.subarray(at, end)));
				const length = Number(headers.get('content-length'));
				if (!Number.isInteger(length) || length < 0 || length > MAX_PART) throw new Error('multipart: part without a length');
				this.#part = { headers, length };
				at = end + 4;
			}
			if (this.#length - at < this.#part.length) break;
			parts.push({ headers: this.#part.headers, body: this.#buffer.slice(at, at + this.#part.length) });
			at += this.#part.length;
			this.#part = undefined;
		}
		this.#buffer.copyWithin(0, at, this.#length);
		this.#length -= at;
		return parts;
	}

	#append(chunk: Uint8Array): void {
		const needed = this.#length + chunk.length;
		if (needed > this.#buffer.length) {
			const larger = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
			larger.set(this.#buffer.subarray(0, this.#length));
			this.#buffer = larger;
		}
		this.#buffer.set(chunk, this.#length);
		this.#length = needed;
	}

	/** Where the empty line begins that ends the headers from `from` on; -1: not there yet. */
	#endOfHeaders(from: number): number {
		const b = this.#buffer;
		for (let i = from; i + 3 < this.#length; i++) {
			if (b[i] === 13 && b[i + 1] === 10 && b[i + 2] === 13 && b[i + 3] === 10) return i;
		}
		return -1;
	}
}

/** The header lines of a part; its boundary line and empty lines are no headers. */
function parseHeaders(text: string): Map<string, string> {
	const headers = new Map<string, string>();
	for (const line of text.split('\r\n')) {
		const colon = line.indexOf(':');
		if (colon > 0 && !line.startsWith('--')) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
	}
	return headers;
}
