import { asProblem, type Problem } from './api/client';
import { reach } from './reach.svelte';

/**
 * Something asked from the server: loading, there, or failed with its problem. What is there stays shown while it is
 * asked again. Make it in a component: it asks again by itself when a lost server is back.
 */
export class Loaded<T> {
	value = $state.raw<T | undefined>();
	problem = $state.raw<Problem | undefined>();
	loading = $state(false);

	readonly #ask: () => Promise<T>;
	#turn = 0;

	constructor(ask: () => Promise<T>) {
		this.#ask = ask;
		$effect(() => reach.onBack(() => void this.load()));
		void this.load();
	}

	load = async (): Promise<void> => {
		const turn = ++this.#turn;
		this.loading = true;
		try {
			const value = await this.#ask();
			// An answer that a later question has overtaken is no longer wanted.
			if (turn !== this.#turn) return;
			this.value = value;
			this.problem = undefined;
		} catch (thrown) {
			if (turn === this.#turn) this.problem = asProblem(thrown);
		} finally {
			if (turn === this.#turn) this.loading = false;
		}
	};
}
