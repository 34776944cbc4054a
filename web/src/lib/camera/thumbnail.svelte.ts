import { problemFrom } from '$lib/api/client';
import { serverClock } from '$lib/live/clock.svelte';
import { capturedAt, PICTURE_INTERVAL } from './interval';

/** A camera that gives no picture is asked less often, ms. */
const RESTS = [2_000, 5_000, 15_000, 30_000] as const;
/** A picture this old is no picture any more, ms. */
const OLD = 15_000;
/** A picture this young is live: one every two seconds, with room for a slow way, ms. */
const LIVE = 8_000;

/**
 * A camera's newest picture, every two seconds while its element can be seen and the page is in front. All who look at
 * a camera share its pictures.
 */
export class Thumbnail {
	/** Address of the picture, for an <img>; undefined while there is none. */
	picture = $state<string | undefined>();
	/** It has been a while since the last one. */
	old = $state(false);
	/** It was taken a moment ago. */
	live = $state(false);
	/** Code of the problem that keeps the picture away. */
	problem = $state<string | undefined>();

	readonly #url: string;
	#timer: ReturnType<typeof setTimeout> | undefined;
	#abort: AbortController | undefined;
	#seen = false;
	#failures = 0;
	#at = 0;

	constructor(uuid: string, camera: string) {
		this.#url = `/api/v1/printers/${uuid}/cameras/${encodeURIComponent(camera)}/snapshot.jpg`;
	}

	/** For an element: it asks for pictures as long as that is in view. */
	watch = (element: Element): (() => void) => {
		const observer = new IntersectionObserver(([entry]) => this.#see(entry?.isIntersecting ?? false), { rootMargin: '100px' });
		observer.observe(element);
		const turn = () => this.#see(this.#seen);
		document.addEventListener('visibilitychange', turn);
		return () => {
			observer.disconnect();
			document.removeEventListener('visibilitychange', turn);
			this.#see(false);
			if (this.picture) URL.revokeObjectURL(this.picture);
			this.picture = undefined;
		};
	};

	#see(seen: boolean): void {
		this.#seen = seen;
		const wanted = seen && !document.hidden;
		if (wanted && !this.#abort) {
			this.#abort = new AbortController();
			void this.#next(this.#abort.signal);
		} else if (!wanted && this.#abort) {
			this.#abort.abort();
			this.#abort = undefined;
			clearTimeout(this.#timer);
		}
	}

	async #next(signal: AbortSignal): Promise<void> {
		const begun = performance.now();
		let rest: number = PICTURE_INTERVAL;
		try {
			const response = await fetch(this.#url, { credentials: 'same-origin', cache: 'no-store', signal });
			if (!response.ok) throw await problemFrom(response);
			const picture = URL.createObjectURL(await response.blob());
			if (this.picture) URL.revokeObjectURL(this.picture);
			this.picture = picture;
			this.#at = performance.now();
			this.#failures = 0;
			this.problem = undefined;
			const taken = capturedAt(response.headers.get('X-Timestamp'));
			this.live = taken === undefined || serverClock.now() - taken * 1000 < LIVE;
			this.old = false;
		} catch (thrown) {
			if (signal.aborted) return;
			this.live = false;
			this.problem = (thrown as { code?: string }).code ?? 'unreachable';
			rest = RESTS[Math.min(this.#failures++, RESTS.length - 1)] ?? OLD;
			if (performance.now() - this.#at > OLD) this.old = true;
		}
		if (signal.aborted) return;
		this.#timer = setTimeout(() => void this.#next(signal), Math.max(rest - (performance.now() - begun), 250));
	}
}
