import type { Printer } from '$lib/api/types';
import { finishAt } from '$lib/printer/finish';
import { isStale, lookOf } from '$lib/printer/status';
import { serverClock } from './clock.svelte';
import { keep } from './keep';

/**
 * One printer, live. A report replaces only the parts of `data` that it changed, and what is worked out from them is
 * worked out once: of a card only those texts are written anew that read differently.
 */
export class LivePrinter {
	data: Printer = $state.raw(undefined as unknown as Printer);

	readonly name = $derived.by(() => this.data.name);
	readonly look = $derived.by(() => lookOf(this.data));
	readonly urgent = $derived.by(() => this.data.attention.length > 0);
	/** Unix ms of the server's clock. */
	readonly finish = $derived.by(() => finishAt(this.data));
	readonly stale = $derived.by(() => isStale(this.data, serverClock.second));

	constructor(printer: Printer) {
		this.data = printer;
	}

	get uuid(): string {
		return this.data.uuid;
	}

	apply(next: Printer): void {
		serverClock.atLeast(next.reported_at);
		this.data = keep(this.data, next);
	}
}
