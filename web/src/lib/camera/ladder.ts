/** Ways a picture can reach the page, best first. WebRTC takes UDP or TCP by itself, whichever gets through. */
export const RUNGS = ['whep', 'hls', 'mjpeg', 'picture'] as const;
export type Rung = (typeof RUNGS)[number];

/** How long a rung that failed is left alone: longer each time, in ms. */
const PENALTIES = [15_000, 60_000, 300_000] as const;
const penalty = (failures: number) => PENALTIES[Math.min(failures, PENALTIES.length) - 1] ?? PENALTIES[0];
/** How long a picture must have been steady before a better rung is tried beside it, in ms. */
const STEADY = 10_000;

interface Mark {
	failures: number;
	/** Not before this time, ms. */
	again: number;
}

/**
 * Decides which rung is tried next: down at once when one fails, up again when its penalty is over and the picture has
 * been steady meanwhile. Times are in ms of any one clock.
 */
export class Ladder {
	#possible: readonly Rung[] = RUNGS;
	#marks = new Map<Rung, Mark>();
	#steadySince: number | undefined;

	/** Which rungs the stream itself can have; B-frames, for one, cannot go by WebRTC. */
	allow(possible: readonly Rung[]): void {
		this.#possible = RUNGS.filter((rung) => possible.includes(rung));
	}

	get possible(): readonly Rung[] {
		return this.#possible;
	}

	/** The best rung that is not being left alone; when all are, the one whose penalty ends first. */
	start(now: number): Rung | undefined {
		const open = this.#possible.find((rung) => this.#again(rung) <= now);
		if (open) return open;
		return [...this.#possible].sort((a, b) => this.#again(a) - this.#again(b))[0];
	}

	/** Until when nothing is to be tried, because every rung has failed; 0 when something can be tried at once. */
	wait(now: number): number {
		if (this.#possible.length === 0) return now + PENALTIES[0];
		const next = Math.min(...this.#possible.map((rung) => this.#again(rung)));
		return next <= now ? 0 : next;
	}

	failed(rung: Rung, now: number): void {
		const failures = (this.#marks.get(rung)?.failures ?? 0) + 1;
		this.#marks.set(rung, { failures, again: now + penalty(failures) });
		this.#steadySince = undefined;
	}

	/** Frames of a rung arrive. */
	live(rung: Rung, now: number): void {
		this.#steadySince ??= now;
		if (now - this.#steadySince > STEADY) this.#marks.delete(rung);
	}

	/** A better rung than the one that runs, when it is time to try one beside it. */
	better(than: Rung, now: number): Rung | undefined {
		if (this.#steadySince === undefined || now - this.#steadySince < STEADY) return undefined;
		const at = this.#possible.indexOf(than);
		return this.#possible.find((rung, i) => i < at && this.#again(rung) <= now);
	}

	/** The person asks for a new try, or the network has changed: nothing is left alone any more. */
	forget(): void {
		this.#marks.clear();
		this.#steadySince = undefined;
	}

	#again(rung: Rung): number {
		return this.#marks.get(rung)?.again ?? 0;
	}
}
