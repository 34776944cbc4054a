import { Centrifuge, type Subscription } from 'centrifuge';
import { api, asProblem } from '$lib/api/client';
import { reach } from '$lib/reach.svelte';
import { session } from '$lib/session.svelte';

/** What wants to hear a channel. `gone`: the server ended it for good (removed, or no right to it any more). */
export interface Listener {
	/** The subscription's own data, sent each time it stands (again): the state as it is now. */
	now?: (data: unknown) => void;
	publication: (data: unknown) => void;
	/** The subscription stands (again): what happened before is to be asked for. */
	stands?: () => void;
	gone?: () => void;
}

interface Channel {
	listeners: Set<Listener>;
	subscription: Subscription;
	/** The last `now`, for a listener that comes later. */
	latest: unknown;
	leaving?: ReturnType<typeof setTimeout>;
}

// Reconnecting and being right again together must take less than two seconds; jitter spreads a crowd of pages.
const RECONNECT = { minReconnectDelay: 100, maxReconnectDelay: 1500 };
const RESUBSCRIBE = { minResubscribeDelay: 100, maxResubscribeDelay: 1500 };
const DOUBT_MS = 1200; // without a connection for this long, is it the server or the WebSocket?
const PATIENCE_MS = 4000;
const POLL_MS = 5000;
const LINGER_MS = 3000; // going from one page to the next keeps what both look at

/**
 * The live connection: one WebSocket for everything that pages look at, opened with the first channel and closed after
 * the last. Where a WebSocket cannot be had (a proxy that forbids it) those who registered with `onRefresh` are asked
 * to fetch every five seconds instead.
 */
class Push {
	state = $state<'closed' | 'connecting' | 'live' | 'polling'>('closed');

	#client: Centrifuge | undefined;
	#channels = new Map<string, Channel>();
	#refreshers = new Set<() => void>();
	#personal = new Set<(message: { type: string }) => void>();
	#doubt: ReturnType<typeof setTimeout> | undefined;
	#poll: ReturnType<typeof setInterval> | undefined;
	#closing: ReturnType<typeof setTimeout> | undefined;
	#wasLive = false;

	/** Hears a channel until the returned function is called. `delta`: publications come as differences. */
	listen(name: string, listener: Listener, delta = false): () => void {
		const client = this.#open();
		let channel = this.#channels.get(name);
		if (channel) {
			clearTimeout(channel.leaving);
			channel.leaving = undefined;
			if (channel.latest !== undefined) listener.now?.(channel.latest);
			if (channel.subscription.state === 'subscribed') listener.stands?.();
		} else {
			channel = this.#join(client, name, delta);
			this.#channels.set(name, channel);
		}
		channel.listeners.add(listener);
		channel.subscription.subscribe();
		return () => this.#forget(name, listener);
	}

	/** Joins many channels in one message to the server. */
	together(join: () => void): void {
		const client = this.#open();
		client.startBatching();
		try {
			join();
		} finally {
			client.stopBatching();
		}
	}

	/** Calls fn when what was fetched may be out of date: the connection stands again, or there is none (polling). */
	onRefresh(fn: () => void): () => void {
		this.#refreshers.add(fn);
		return () => this.#refreshers.delete(fn);
	}

	/** Messages to the signed-in person: `{"type":"printers"}` and the like. They alone are worth a connection. */
	onPersonal(fn: (message: { type: string }) => void): () => void {
		this.#open();
		this.#personal.add(fn);
		return () => {
			this.#personal.delete(fn);
			this.#closeIfUnheard();
		};
	}

	#open(): Centrifuge {
		clearTimeout(this.#closing);
		if (this.#client) return this.#client;
		const address = new URL('/api/v1/push', location.href);
		address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
		const client = new Centrifuge(address.href, { ...RECONNECT, timeout: 4000, maxServerPingDelay: 3000 });
		client.on('connecting', () => this.#lost());
		client.on('connected', () => this.#stands());
		client.on('disconnected', () => void this.#ended());
		client.on('publication', ({ channel, data }) => {
			if (channel.startsWith('user:')) this.#tell(data as { type: string });
		});
		this.#client = client;
		client.connect();
		return client;
	}

	#join(client: Centrifuge, name: string, delta: boolean): Channel {
		const subscription =
			client.getSubscription(name) ?? client.newSubscription(name, { ...RESUBSCRIBE, ...(delta ? { delta: 'fossil' as const } : {}) });
		const channel: Channel = { listeners: new Set(), subscription, latest: undefined };
		subscription.on('subscribed', ({ data }) => {
			for (const listener of channel.listeners) listener.stands?.();
			if (data === undefined || data === null) return;
			channel.latest = data;
			for (const listener of channel.listeners) listener.now?.(data);
		});
		subscription.on('publication', ({ data }) => {
			if (channel.latest !== undefined) channel.latest = data;
			for (const listener of channel.listeners) listener.publication(data);
		});
		subscription.on('unsubscribed', () => {
			// Ours are removed from the table first: this one was the server's decision.
			if (this.#channels.get(name) !== channel) return;
			this.#channels.delete(name);
			client.removeSubscription(subscription);
			for (const listener of channel.listeners) listener.gone?.();
		});
		return channel;
	}

	#forget(name: string, listener: Listener): void {
		const channel = this.#channels.get(name);
		if (!channel?.listeners.delete(listener) || channel.listeners.size > 0) return;
		channel.leaving = setTimeout(() => {
			if (channel.listeners.size > 0 || this.#channels.get(name) !== channel) return;
			this.#channels.delete(name);
			channel.subscription.removeAllListeners();
			channel.subscription.unsubscribe();
			this.#client?.removeSubscription(channel.subscription);
			this.#closeIfUnheard();
		}, LINGER_MS);
	}

	#closeIfUnheard(): void {
		if (this.#channels.size > 0 || this.#personal.size > 0) return;
		clearTimeout(this.#closing);
		this.#closing = setTimeout(() => this.#close(), LINGER_MS);
	}

	#stands(): void {
		clearTimeout(this.#doubt);
		clearInterval(this.#poll);
		this.state = 'live';
		reach.answered();
		// What was not pushed meanwhile: printers that came or went. Each printer's own state comes by itself.
		if (this.#wasLive) this.#refresh();
		this.#wasLive = true;
	}

	#lost(): void {
		if (this.state !== 'polling') this.state = 'connecting';
		clearTimeout(this.#doubt);
		this.#doubt = setTimeout(() => void this.#ask(), DOUBT_MS);
	}

	/** Still no connection: find out whether the server is away, we are signed out, or only WebSockets are refused. */
	async #ask(): Promise<void> {
		if (!this.#client || this.state === 'live') return;
		// A dead network often answers nothing at all, instead of an error.
		const patience = AbortSignal.timeout(PATIENCE_MS);
		try {
			await api.get('/me', { quiet: true, signal: patience });
		} catch (thrown) {
			const problem = asProblem(thrown);
			if (problem.code === 'unreachable' || patience.aborted) reach.lost();
			if (problem.status === 401) return this.#close();
			this.#doubt = setTimeout(() => void this.#ask(), DOUBT_MS);
			return;
		}
		// A restart of a moment leaves no time for this: the connection stands again before.
		this.#doubt = setTimeout(() => this.#pollInstead(), DOUBT_MS * 2);
	}

	#pollInstead(): void {
		if (!this.#client || this.#isLive()) return;
		this.state = 'polling';
		this.#refresh();
		clearInterval(this.#poll);
		this.#poll = setInterval(() => {
			if (document.visibilityState === 'visible' && reach.state !== 'lost') this.#refresh();
		}, POLL_MS);
	}

	#isLive(): boolean {
		return this.state === 'live';
	}

	/** The server ended the connection and wants no other: the session's end, most likely; else try again. */
	async #ended(): Promise<void> {
		const client = this.#client;
		if (!client) return;
		this.#lost();
		try {
			await api.get('/me', { quiet: true });
		} catch (thrown) {
			if (asProblem(thrown).status === 401) return this.#close();
		}
		setTimeout(() => {
			if (this.#client === client) client.connect();
		}, DOUBT_MS);
	}

	#close(): void {
		const client = this.#client;
		this.#client = undefined;
		clearTimeout(this.#doubt);
		clearInterval(this.#poll);
		this.#channels.clear();
		this.#wasLive = false;
		client?.removeAllListeners();
		client?.disconnect();
		this.state = 'closed';
	}

	#refresh(): void {
		for (const fn of this.#refreshers) fn();
	}

	#tell(message: { type: string }): void {
		if (message?.type === 'session_ended') {
			this.#close();
			session.leave();
			return;
		}
		for (const fn of this.#personal) fn(message);
	}
}

export const push = new Push();
