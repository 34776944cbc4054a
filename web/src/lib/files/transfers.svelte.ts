import { onMount } from 'svelte';
import { api } from '$lib/api/client';
import type { Items } from '$lib/api/types';
import type { Transfer } from './types';

const OVER = new Set(['done', 'failed']);

/** Files on their way to printers, followed until they are there. Make it in a component. */
export class Transfers {
	#byId = $state<Record<string, Transfer>>({});
	#following = new Map<string, Set<string>>();

	constructor() {
		onMount(() => {
			const timer = setInterval(() => void this.#ask(), 1000);
			return () => clearInterval(timer);
		});
	}

	of(id: string): Transfer | undefined {
		return this.#byId[id];
	}

	/** Follows one that goes to the printer with this UUID. */
	follow(uuid: string, transfer: Transfer): void {
		this.#byId[transfer.id] = transfer;
		if (OVER.has(transfer.stage)) return;
		const ids = this.#following.get(uuid) ?? new Set();
		this.#following.set(uuid, ids.add(transfer.id));
	}

	async #ask(): Promise<void> {
		await Promise.all(
			[...this.#following].map(async ([uuid, ids]) => {
				try {
					const { items } = await api.get<Items<Transfer>>(`/printers/${uuid}/transfers`, { quiet: true });
					for (const transfer of items) {
						if (!ids.has(transfer.id)) continue;
						this.#byId[transfer.id] = transfer;
						if (OVER.has(transfer.stage)) ids.delete(transfer.id);
					}
					if (ids.size === 0) this.#following.delete(uuid);
				} catch {
					// It is asked again in a second.
				}
			})
		);
	}
}
