import type { Printer } from '$lib/api/types';
import { finishAt } from '$lib/printer/finish';
import { searchText } from '$lib/printer/sort';
import { isPrinting, isStale, lookOf } from '$lib/printer/status';
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
	readonly online = $derived.by(() => this.data.online);
	readonly printing = $derived.by(() => isPrinting(this.data));
	readonly urgent = $derived.by(() => this.data.attention.length > 0);
	/** Unix ms of the server's clock. */
	readonly finish = $derived.by(() => finishAt(this.data));
	readonly stale = $derived.by(() => isStale(this.data, serverClock.second));

	/** What a search looks into. */
	readonly text = $derived.by(() => searchText(this.data));

	constructor(printer: Printer) {
		this.data = printer;
	}

	get uuid(): string {
		return this.data.uuid;
	}

	/** Takes the API's answer. */
	apply(next: Printer): void {
		serverClock.atLeast(next.reported_at);
		this.data = keep(this.data, next);
	}

	/**
	 * Takes a pushed report, which is the whole state: what it leaves out is no more. Only it is the same for everybody
	 * who looks, so it cannot tell the viewer's own role, the workspace's name as long as the server has not looked it
	 * up, nor the cameras' addresses that only owners see: those stay as the API said.
	 */
	report(next: Printer): void {
		const cameras = next.cameras?.map((camera) => ({
			...camera,
			stream_url: camera.stream_url ?? this.data.cameras?.find((known) => known.id === camera.id)?.stream_url
		}));
		this.apply({ ...next, role: this.data.role, workspace: next.workspace ?? this.data.workspace, cameras: cameras ?? this.data.cameras });
	}
}
