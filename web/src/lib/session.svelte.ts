import { api, asProblem, whenUnauthenticated } from './api/client';
import type { ServerInfo, User } from './api/types';
import { locale } from './i18n/locale.svelte';
import { reach } from './reach.svelte';

const KEY = 'factor.me';

/**
 * Who is signed in. `loading` until the server has said; `unknown` when it could not be asked and this browser
 * remembers nobody. A remembered account lets a visited page open while the server is away.
 */
class SignedIn {
	state = $state<'loading' | 'in' | 'out' | 'unknown'>('loading');
	me = $state.raw<User | undefined>();
	/** What the server offers (sign-up, mail…); undefined until asked with `server()`. */
	info = $state.raw<ServerInfo | undefined>();

	#started: Promise<void> | undefined;

	/** Asks once who is signed in; later calls wait for that same answer. */
	start(): Promise<void> {
		this.#started ??= this.#ask();
		return this.#started;
	}

	async #ask(): Promise<void> {
		try {
			this.enter(await api.get<User>('/me'));
		} catch (thrown) {
			const problem = asProblem(thrown);
			if (problem.status === 401) {
				this.leave();
				return;
			}
			const remembered = recall();
			if (remembered) this.enter(remembered);
			else this.state = 'unknown';
			if (reach.state !== 'lost') {
				// It answered, but with an error of its own: only asking again helps.
				setTimeout(() => void this.#ask(), 3000);
				return;
			}
			const stop = reach.onBack(() => {
				stop();
				void this.#ask();
			});
		}
	}

	/** Somebody signed in or their account changed. */
	enter(user: User): void {
		this.me = user;
		this.state = 'in';
		locale.set(user.language);
		locale.setZone(user.time_zone);
		remember(user);
	}

	/** Nobody is signed in in this browser any more. */
	leave(): void {
		this.me = undefined;
		this.state = 'out';
		locale.setZone(undefined);
		remember(undefined);
	}

	async logout(): Promise<void> {
		await api.delete('/session');
		this.leave();
	}

	/** What the server offers; asked again each time, since a set-up or an administrator changes it. */
	async server(): Promise<ServerInfo> {
		this.info = await api.get<ServerInfo>('/server');
		return this.info;
	}
}

function recall(): User | undefined {
	try {
		const stored = localStorage.getItem(KEY);
		return stored ? (JSON.parse(stored) as User) : undefined;
	} catch {
		return undefined;
	}
}

function remember(user: User | undefined): void {
	try {
		if (user) localStorage.setItem(KEY, JSON.stringify(user));
		else localStorage.removeItem(KEY);
	} catch {
		// Without storage a page only opens while the server answers.
	}
}

export const session = new SignedIn();

whenUnauthenticated(() => session.leave());
