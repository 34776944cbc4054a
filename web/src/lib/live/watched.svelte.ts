import { onMount } from 'svelte';
import { api, asProblem, type Problem } from '$lib/api/client';
import type { Printer } from '$lib/api/types';
import { fleet } from './fleet.svelte';
import type { LivePrinter } from './printer.svelte';

/** One printer as its page looks at it. Make it in a component: it watches as long as that stands. */
export class Watched {
	readonly uuid: string;
	printer = $state.raw<LivePrinter | undefined>();
	/** Why it cannot be shown. */
	problem = $state.raw<Problem | undefined>();
	/** It was there and is not any more: removed, or the right to see it has ended. */
	gone = $state(false);

	#stop: (() => void) | undefined;
	#left = false;

	constructor(uuid: string) {
		this.uuid = uuid;
		this.printer = fleet.get(uuid);
		onMount(() => {
			void this.load();
			return () => {
				this.#left = true;
				this.#stop?.();
			};
		});
	}

	load = async (): Promise<void> => {
		try {
			const printer = await api.get<Printer>(`/printers/${encodeURIComponent(this.uuid)}`);
			if (this.#left) return;
			this.printer = fleet.take(printer);
			this.problem = undefined;
			this.gone = false;
			// Only what is there can be listened to; and again, should the server have ended it for a while.
			const before = this.#stop;
			this.#stop = fleet.watchOne(this.uuid, () => void this.load());
			before?.();
		} catch (thrown) {
			const problem = asProblem(thrown);
			if (problem.status === 404 && this.printer) {
				this.gone = true;
				this.printer = undefined;
				fleet.drop(this.uuid);
			}
			// While the server is away the page shows what was, and the banner says so.
			if (!this.printer) this.problem = problem;
		}
	};
}
