import { api, asProblem, type Problem } from '$lib/api/client';
import type { Items, Printer } from '$lib/api/types';
import { serverClock } from './clock.svelte';
import { LivePrinter } from './printer.svelte';
import { push } from './push.svelte';
import { session } from '$lib/session.svelte';

/**
 * Every printer this page knows, each once, whoever looks at it: the dashboard at all, a printer's page at one. What
 * is known stays known from page to page, so that going back draws at once and is brought up to date a moment later.
 */
class Fleet {
	/** `ready` once the list has been loaded, however long ago. */
	state = $state<'loading' | 'ready' | 'failed'>('loading');
	problem = $state.raw<Problem | undefined>();
	/** All that the signed-in person may see. */
	list = $state.raw<LivePrinter[]>([]);

	#known = new Map<string, LivePrinter>();
	#owner: string | undefined;
	#watched = new Map<string, () => void>();
	#watching = 0;
	#asked: Promise<void> | undefined;
	#again = false;
	#reports = new Map<string, Printer>();
	#frame: number | ReturnType<typeof setTimeout> | undefined;

	/** Loads the list and keeps it and every printer of it live until the returned function is called. */
	watchAll(): () => void {
		this.#forgetOthers();
		this.#watching++;
		const stops = [
			serverClock.run(),
			push.onRefresh(() => void this.refresh()),
			push.onPersonal((message) => {
				if (message.type === 'printers') void this.refresh();
			})
		];
		this.#watchListed();
		void this.refresh();
		return () => {
			for (const stop of stops) stop();
			if (--this.#watching > 0) return;
			for (const stop of this.#watched.values()) stop();
			this.#watched.clear();
		};
	}

	/** Keeps one printer live. `changed` when it may be gone or the rights to it may be others: fetch it again. */
	watchOne(uuid: string, changed: () => void): () => void {
		const stops = [
			serverClock.run(),
			this.#hear(uuid, changed),
			push.onRefresh(changed),
			push.onPersonal((message) => {
				if (message.type === 'printers') changed();
			})
		];
		return () => {
			for (const stop of stops) stop();
		};
	}

	/** The printer of that UUID, if it is known already. */
	get(uuid: string): LivePrinter | undefined {
		this.#forgetOthers();
		return this.#known.get(uuid);
	}

	/** Takes what the server said of a printer. */
	take(printer: Printer): LivePrinter {
		this.#forgetOthers();
		let live = this.#known.get(printer.uuid);
		if (live) live.apply(printer);
		else {
			serverClock.atLeast(printer.reported_at);
			live = new LivePrinter(printer);
			this.#known.set(printer.uuid, live);
		}
		return live;
	}

	/** It was removed: no page shows it any longer. */
	drop(uuid: string): void {
		this.#known.delete(uuid);
		this.list = this.list.filter((printer) => printer.uuid !== uuid);
	}

	/** Fetches the list; calls while one is under way become one more after it. */
	refresh(): Promise<void> {
		if (this.#asked) {
			this.#again = true;
			return this.#asked;
		}
		this.#asked = this.#load().finally(() => {
			this.#asked = undefined;
			if (this.#again) {
				this.#again = false;
				void this.refresh();
			}
		});
		return this.#asked;
	}

	async #load(): Promise<void> {
		try {
			const { items } = await api.get<Items<Printer>>('/printers');
			const list = items.map((printer) => this.take(printer));
			const same = list.length === this.list.length && list.every((printer, at) => printer === this.list[at]);
			if (!same) {
				this.list = list;
				const there = new Set(items.map((printer) => printer.uuid));
				for (const uuid of this.#known.keys()) if (!there.has(uuid)) this.#known.delete(uuid);
			}
			this.problem = undefined;
			this.state = 'ready';
			this.#watchListed();
		} catch (thrown) {
			this.problem = asProblem(thrown);
			// A list that was there is still the best there is; the banner says that the server is away.
			if (this.state === 'loading') this.state = 'failed';
		}
	}

	#watchListed(): void {
		if (this.#watching === 0) return;
		const there = new Set(this.list.map((printer) => printer.uuid));
		for (const [uuid, stop] of this.#watched) {
			if (there.has(uuid)) continue;
			stop();
			this.#watched.delete(uuid);
		}
		const fresh = [...there].filter((uuid) => !this.#watched.has(uuid));
		if (fresh.length === 0) return;
		push.together(() => {
			for (const uuid of fresh) {
				this.#watched.set(
					uuid,
					this.#hear(uuid, () => {
						this.#watched.delete(uuid);
						void this.refresh();
					})
				);
			}
		});
	}

	#hear(uuid: string, gone: () => void): () => void {
		const report = (data: unknown) => this.#report(data as Printer);
		return push.listen(`printer:${uuid}`, { now: report, publication: report, gone }, true);
	}

	/** Reports are taken once a frame: 200 printers a second are at most 60 updates of the page. */
	#report(printer: Printer): void {
		if (!printer?.uuid) return;
		this.#reports.set(printer.uuid, printer);
		if (this.#frame !== undefined) return;
		const flush = () => {
			this.#frame = undefined;
			const reports = [...this.#reports.values()];
			this.#reports.clear();
			// One that is not known was removed meanwhile, or its page has not loaded it yet.
			for (const one of reports) this.#known.get(one.uuid)?.report(one);
		};
		// A hidden page gets no frames.
		this.#frame = document.visibilityState === 'visible' ? requestAnimationFrame(flush) : setTimeout(flush, 250);
	}

	/** Another account in the same page must not see what the one before saw, not for a blink. */
	#forgetOthers(): void {
		if (this.#owner === session.me?.id) return;
		this.#owner = session.me?.id;
		this.#known.clear();
		this.#reports.clear();
		this.list = [];
		this.state = 'loading';
		this.problem = undefined;
	}
}

export const fleet = new Fleet();
