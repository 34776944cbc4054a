/** What of a video is there to be played. */
export interface Buffer {
	/** Where it plays, s. */
	at: number;
	/** Of the newest piece without a gap, s. */
	start: number;
	end: number;
}

/** Seconds kept in hand when a part comes: what the next one may be late by. It grows when that was too little. */
const LEAST = 0.12;
const MOST = 0.5;
/** Seconds from which a jump disturbs less than playing faster for long. */
const JUMP = 0.5;
/** How many parts back it looks for how little was left. */
const REMEMBERED = 8;

/**
 * Keeps a video just so far behind the newest part that it does not run dry: by playing a little faster or slower, and by
 * jumping where that would take long.
 */
export class Edge {
	#hand = LEAST;
	#left: number[] = [];

	/** What is kept in hand now, s. */
	get hand(): number {
		return this.#hand;
	}

	/** It ran dry: it takes more in hand, and gives that back slowly. */
	stalled(): void {
		this.#hand = Math.min(this.#hand + 0.1, MOST);
		this.#left = [];
	}

	/** A part of this length has come. Tells how to go on: how fast, and from where if elsewhere. */
	came(buffer: Buffer, length: number): { rate: number; to?: number } {
		const { at, start, end } = buffer;
		const place = Math.max(start, end - length - this.#hand);
		if (at < start || at > end) {
			this.#left = [];
			return { rate: 1, to: place };
		}
		this.#left.push(end - length - at);
		if (this.#left.length > REMEMBERED) this.#left.shift();
		this.#hand = Math.max(LEAST, this.#hand - 0.001 - 0.03 * (this.#hand - LEAST)); // half of it within 5 s
		const over = Math.min(...this.#left) - this.#hand;
		if (over > JUMP) {
			this.#left = [];
			return { rate: 1, to: place };
		}
		// By a tenth it is not seen, and a quarter is for what would take long.
		const rate = over > 0.3 ? 1.25 : over > 0.04 ? 1.1 : over < -0.06 ? 0.95 : 1;
		return { rate };
	}
}
