/**
 * The server's clock as this page knows it. The browser's own may be wrong by hours, so ages and "since" are counted
 * from what the server said, carried on by the monotonic clock.
 */
class ServerClock {
	/** Server time in Unix ms, moved on every second: for ages and staleness. */
	second = $state(Date.now());
	/** The same every five seconds: for words such as "1 h 12 min left" that need not hurry. */
	calm = $state(Date.now());

	/** Server time minus monotonic time; before the server spoke the browser's clock has to do. */
	#offset = Date.now() - monotonic();
	#spread = Infinity;
	#timer: ReturnType<typeof setInterval> | undefined;
	#users = 0;
	#beats = 0;

	/** Server time now, Unix ms. */
	now(): number {
		return monotonic() + this.#offset;
	}

	/**
	 * A response's `Date` header (whole seconds), and how long its request took: the shorter, the better known. A
	 * worse reading is only taken when it contradicts the better one.
	 */
	heard(date: string | null, tookMs: number): void {
		this.#read(date ? Date.parse(date) : NaN, 1000, tookMs);
	}

	/** The same of an answer that has the server's time to the millisecond. */
	told(unixMs: number | undefined, tookMs: number): void {
		this.#read(unixMs ?? NaN, 1, tookMs);
	}

	#read(said: number, grain: number, tookMs: number): void {
		if (Number.isNaN(said)) return;
		// Half of the way there and back ago it was somewhere within that second, or millisecond.
		const spread = (grain + tookMs) / 2;
		const offset = said + spread - monotonic();
		if (spread > this.#spread && Math.abs(offset - this.#offset) <= spread + this.#spread) return;
		this.#offset = offset;
		this.#spread = spread;
	}

	/** Something the server stamped just now, such as a report: its clock cannot be before that. */
	atLeast(time: string | undefined): void {
		const said = time ? Date.parse(time) : NaN;
		if (!Number.isNaN(said) && said > this.now()) this.#offset = said - monotonic();
	}

	/** Keeps `second` and `calm` moving until the returned function is called. */
	run(): () => void {
		if (this.#users++ === 0) {
			this.#beat();
			this.#timer = setInterval(() => this.#beat(), 1000);
		}
		return () => {
			if (--this.#users === 0) clearInterval(this.#timer);
		};
	}

	#beat(): void {
		this.second = this.now();
		if (this.#beats++ % 5 === 0) this.calm = this.second;
	}
}

/**
 * Monotonic ms. `performance.now` stands still while some systems sleep, the wall clock can be set by hand: a jump of
 * the one against the other is taken for sleep, and the next answer of the server corrects it if it was not.
 */
let slept = 0;
let lastDrift = Date.now() - performance.now();
function monotonic(): number {
	const drift = Date.now() - performance.now();
	if (drift - lastDrift > 5000) slept += drift - lastDrift;
	lastDrift = drift;
	return performance.now() + slept;
}

export const serverClock = new ServerClock();
