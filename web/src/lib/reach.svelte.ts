/**
 * Whether the server answers. A failed call marks it lost; from then on it is asked every few seconds until it is
 * back, which is said for a moment and told to those who want to load again.
 */
class Reach {
	state = $state<'ok' | 'lost' | 'back'>('ok');
	/** When it was lost, for "since 18:42". */
	since = $state<Date | undefined>();

	#timer: ReturnType<typeof setTimeout> | undefined;
	#listeners = new Set<() => void>();

	lost(): void {
		if (this.state === 'lost') return;
		this.state = 'lost';
		this.since = new Date();
		this.#schedule(1000);
	}

	/** An answer of any kind came. */
	answered(): void {
		if (this.state !== 'lost') return;
		this.state = 'back';
		this.since = undefined;
		for (const listener of this.#listeners) listener();
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => {
			if (this.state === 'back') this.state = 'ok';
		}, 4000);
	}

	/** Calls fn each time the server is back. Returns the way to stop that. */
	onBack(fn: () => void): () => void {
		this.#listeners.add(fn);
		return () => this.#listeners.delete(fn);
	}

	/** Asks now instead of waiting. */
	async ask(): Promise<void> {
		try {
			const response = await fetch('/healthz', { cache: 'no-store', signal: AbortSignal.timeout(5000) });
			if (response.ok) return this.answered();
		} catch {
			// Still away.
		}
		this.#schedule(2000);
	}

	#schedule(ms: number): void {
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => void this.ask(), ms + Math.random() * 500);
	}
}

export const reach = new Reach();
