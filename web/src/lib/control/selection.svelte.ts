import { SvelteSet } from 'svelte/reactivity';

/** Which printers of the dashboard are chosen, while choosing is on. */
export class Selection {
	on = $state(false);
	readonly chosen = new SvelteSet<string>();

	begin(): void {
		this.on = true;
	}

	end(): void {
		this.on = false;
		this.chosen.clear();
	}

	has(uuid: string): boolean {
		return this.chosen.has(uuid);
	}

	toggle(uuid: string): void {
		if (!this.chosen.delete(uuid)) this.chosen.add(uuid);
	}

	/** Leaves out those that are not there any more. */
	keep(there: Iterable<string>): void {
		const still = new Set(there);
		for (const uuid of [...this.chosen]) if (!still.has(uuid)) this.chosen.delete(uuid);
	}
}
