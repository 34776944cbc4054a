import { onMount } from 'svelte';
import { api } from '$lib/api/client';
import type { Items } from '$lib/api/types';
import { push } from '$lib/live/push.svelte';
import { isOver, newer } from './transfer';
import type { Transfer } from './types';

/** Tells of a printer's transfers, all that are known and each change, until the returned function is called. */
function hear(uuid: string, take: (transfer: Transfer) => void, first: () => void = () => {}): () => void {
	let left = false;
	const ask = async () => {
		try {
			const { items } = await api.get<Items<Transfer>>(`/printers/${uuid}/transfers`, { quiet: true });
			if (left) return;
			for (const transfer of items) take(transfer);
			first();
		} catch {
			// It is asked again as soon as the push stands, or with the next poll.
		}
	};
	const stops = [
		push.listen(`transfers:${uuid}`, { stands: () => void ask(), publication: (data) => take(data as Transfer) }),
		push.onRefresh(() => void ask())
	];
	if (push.state === 'polling') void ask();
	return () => {
		left = true;
		for (const stop of stops) stop();
	};
}

/** Files on their way to printers, followed until they are there. Make it in a component. */
export class Transfers {
	#byId = $state<Record<string, Transfer>>({});
	#stops = new Map<string, () => void>();

	constructor() {
		onMount(() => () => {
			for (const stop of this.#stops.values()) stop();
		});
	}

	of(id: string): Transfer | undefined {
		return this.#byId[id];
	}

	/** Follows one that goes to the printer with this UUID. */
	follow(uuid: string, transfer: Transfer): void {
		this.#byId[transfer.id] = newer(this.#byId[transfer.id], transfer);
		if (this.#stops.has(uuid)) return;
		this.#stops.set(
			uuid,
			hear(uuid, (news) => {
				const known = this.#byId[news.id];
				if (known) this.#byId[news.id] = newer(known, news);
			})
		);
	}
}

/** One printer's transfers: those under way, and those that ended while its page is looked at. Make it in a component. */
export class PrinterTransfers {
	#all = $state<Record<string, Transfer>>({});
	#before = new Set<string>();
	#begun = false;

	/** Newest first. */
	readonly list = $derived.by(() => Object.values(this.#all).sort((a, b) => (b.created_at ?? '').localeCompare(a.created_at ?? '')));

	constructor(uuid: string) {
		onMount(() =>
			hear(
				uuid,
				(transfer) => this.take(transfer),
				() => (this.#begun = true)
			)
		);
	}

	take(transfer: Transfer): void {
		// What was over before anybody looked is for the history.
		if (!this.#begun && isOver(transfer) && !this.#all[transfer.id]) this.#before.add(transfer.id);
		if (this.#before.has(transfer.id)) return;
		this.#all[transfer.id] = newer(this.#all[transfer.id], transfer);
	}

	hide(id: string): void {
		this.#before.add(id);
		delete this.#all[id];
	}

	/** The one that fetches a file of the device into the library, the last one where there were several. */
	bringing(origin: string, path: string): Transfer | undefined {
		return this.list.find((one) => one.direction === 'to_library' && one.target === origin && one.path === path);
	}
}
