/** Seconds until something may be tried again, counting down by the clock (a sleeping tab does not slow it). */
export class Countdown {
	left = $state(0);
	#until = 0;
	#timer: ReturnType<typeof setInterval> | undefined;

	start(seconds: number): void {
		this.#until = Date.now() + seconds * 1000;
		clearInterval(this.#timer);
		this.#tick();
		if (this.left > 0) this.#timer = setInterval(() => this.#tick(), 500);
	}

	stop(): void {
		clearInterval(this.#timer);
		this.left = 0;
	}

	#tick(): void {
		this.left = Math.max(0, Math.ceil((this.#until - Date.now()) / 1000));
		if (this.left === 0) clearInterval(this.#timer);
	}
}
