import { asProblem, type Problem } from './api/client';
import type { Items } from './api/types';
import { reach } from './reach.svelte';

/** A list that is asked page by page. Make it in a component: it asks again by itself when a lost server is back. */
export class Paged<T> {
	/** Undefined until the first page is there. */
	items = $state.raw<T[] | undefined>();
	next = $state<string | undefined>();
	problem = $state.raw<Problem | undefined>();
	/** The next page is on its way. */
	more = $state(false);

	readonly #ask: (cursor: string | undefined) => Promise<Items<T>>;
	#turn = 0;

	constructor(ask: (cursor: string | undefined) => Promise<Items<T>>) {
		this.#ask = ask;
		$effect(() => reach.onBack(() => void this.load()));
		void this.load();
	}

	/** From the top. What is there stays shown meanwhile. */
	load = async (): Promise<void> => {
		const turn = ++this.#turn;
		this.more = false;
		try {
			const page = await this.#ask(undefined);
			if (turn !== this.#turn) return;
			this.items = page.items;
			this.next = page.next || undefined;
			this.problem = undefined;
		} catch (thrown) {
			if (turn === this.#turn) this.problem = asProblem(thrown);
		}
	};

	loadMore = async (): Promise<void> => {
		if (!this.next || this.more) return;
		const turn = this.#turn;
		this.more = true;
		try {
			const page = await this.#ask(this.next);
			if (turn !== this.#turn) return;
			this.items = [...(this.items ?? []), ...page.items];
			this.next = page.next || undefined;
			this.problem = undefined;
		} catch (thrown) {
			if (turn === this.#turn) this.problem = asProblem(thrown);
		} finally {
			if (turn === this.#turn) this.more = false;
		}
	};
}
