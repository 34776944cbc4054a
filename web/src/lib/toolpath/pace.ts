/** How much may be drawn at a time so that it takes about so long: learned from what it took. Nothing is known of a machine before. */
export class Pace {
	/** What a machine that draws in software does in a blink. */
	static readonly LEAST = 6_000;
	static readonly MOST = 1 << 26;
	/** ms in which one of the index is drawn, about; infinite when unknown. */
	#each = 1 / 600;
	#known = false;

	/** Numbers of the index that are drawn in so many ms. */
	within(ms: number): number {
		return Math.round(Math.min(Math.max(ms / this.#each, Pace.LEAST), Pace.MOST));
	}

	/** What was drawn, and in how many ms it was on the screen. A screen shows no sooner than in a sixtieth of a second. */
	took(count: number, ms: number): void {
		if (count < Pace.LEAST / 2 && ms < 40) return; // says little
		const each = Math.max(ms - 12, 1) / Math.max(count, 1);
		// Slower is believed at once, faster by and by: one late frame is worse than a few coarse ones.
		this.#each = this.#known && each < this.#each ? this.#each + (each - this.#each) * 0.5 : each;
		this.#known = true;
	}
}
