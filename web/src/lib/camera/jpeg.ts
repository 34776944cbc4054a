import { problemFrom } from '$lib/api/client';
import { serverClock } from '$lib/live/clock.svelte';
import { capturedAt, PICTURE_INTERVAL } from './interval';
import { MultipartReader } from './multipart';
import type { Source, Told } from './source';

/** Draws JPEGs onto a canvas; a picture that takes long to decode never holds up a newer one. */
class Screen {
	readonly canvas = document.createElement('canvas');
	#captured: number | undefined;
	#busy = false;
	#next: { jpeg: Blob; captured: number | undefined; shown: () => void } | undefined;

	show(jpeg: Blob, captured: number | undefined, shown: () => void): void {
		this.#next = { jpeg, captured, shown };
		if (!this.#busy) void this.#draw();
	}

	async #draw() {
		this.#busy = true;
		while (this.#next) {
			const { jpeg, captured, shown } = this.#next;
			this.#next = undefined;
			const picture = await createImageBitmap(jpeg).catch(() => undefined);
			if (picture) {
				if (this.canvas.width !== picture.width) this.canvas.width = picture.width;
				if (this.canvas.height !== picture.height) this.canvas.height = picture.height;
				this.canvas.getContext('2d', { alpha: false })?.drawImage(picture, 0, 0);
				picture.close();
				this.#captured = captured;
				shown();
			} // else half a picture: the next one is on its way
		}
		this.#busy = false;
	}

	delay(): number | undefined {
		if (this.#captured === undefined) return undefined;
		const seconds = serverClock.now() / 1000 - this.#captured;
		if (seconds < -1 || seconds > 600) return undefined; // one of the clocks is wrong
		return Math.max(seconds, 0); // they agree to some hundredths only
	}

	size() {
		return { width: this.canvas.width, height: this.canvas.height };
	}
}

/** JPEG after JPEG in one answer, taken apart here: an <img> would not tell whether pictures still come. */
export function playMJPEG(url: string, told: Told): Source {
	const screen = new Screen();
	const abort = new AbortController();
	let delay: number | undefined;

	async function read() {
		const response = await fetch(url, { credentials: 'same-origin', signal: abort.signal });
		if (!response.ok) throw await problemFrom(response);
		if (!response.body) throw new Error('mjpeg: empty');
		const parts = new MultipartReader();
		const reader = response.body.getReader();
		for (;;) {
			const { done, value } = await reader.read();
			if (done) throw new Error('mjpeg: ended');
			const newest = parts.push(value).at(-1); // of several that came at once only the last is worth showing
			if (!newest) continue;
			screen.show(new Blob([newest.body], { type: 'image/jpeg' }), capturedAt(newest.headers.get('x-timestamp')), () => {
				delay = screen.delay();
				told.frame();
			});
		}
	}

	void read().catch((why) => {
		if (!abort.signal.aborted) told.ended(why);
	});
	return {
		rung: 'mjpeg',
		element: screen.canvas,
		size: () => screen.size(),
		delay: async () => delay,
		close: () => abort.abort()
	};
}

/** A picture every two seconds: what gets through everywhere. */
export function playPictures(url: string, told: Told): Source {
	const screen = new Screen();
	const abort = new AbortController();
	let timer: ReturnType<typeof setTimeout> | undefined;
	let failures = 0;
	let delay: number | undefined;

	async function next() {
		const begun = performance.now();
		try {
			const response = await fetch(url, { credentials: 'same-origin', cache: 'no-store', signal: abort.signal });
			if (!response.ok) throw await problemFrom(response);
			const at = capturedAt(response.headers.get('X-Timestamp'));
			screen.show(await response.blob(), at, () => {
				delay = screen.delay();
				told.frame();
			});
			failures = 0;
		} catch (why) {
			if (abort.signal.aborted) return;
			if (++failures >= 3) {
				told.ended(why);
				return;
			}
		}
		timer = setTimeout(() => void next(), Math.max(PICTURE_INTERVAL - (performance.now() - begun), 250));
	}

	void next();
	return {
		rung: 'picture',
		element: screen.canvas,
		size: () => screen.size(),
		delay: async () => delay,
		close() {
			abort.abort();
			clearTimeout(timer);
		}
	};
}
