import { problemFrom } from '$lib/api/client';
import { Edge } from './edge';
import { follow, parseIndex, parseMedia, type Media, type Part } from './playlist';
import { eachFrame, makeVideo, type Source, type Told } from './source';

/** Seconds of the past that are kept: nobody goes back in a camera's picture. */
const KEPT = 5;
/** How long it waits before it asks again where the network failed, ms. Its player knows when to give up. */
const AGAIN = 500;

/**
 * Plays low-latency HLS. Players for films keep seconds in hand and stay behind once they are; this one fetches each part
 * when it is made, and keeps a fraction of a second. Where a browser has no media source it plays the stream by itself.
 */
export function playHLS(url: string, told: Told): Source {
	const video = makeVideo();
	const abort = new AbortController();
	let stop = () => {};
	let behind = (): number | undefined => undefined;

	const stopFrames = eachFrame(video, () => told.frame());
	const fail = (why: unknown) => {
		if (abort.signal.aborted) return;
		close();
		told.ended(why);
	};

	async function open() {
		if (!('MediaSource' in window)) {
			if (!video.canPlayType('application/vnd.apple.mpegurl')) throw new Error('hls: not in this browser');
			video.src = url;
			video.onerror = () => fail(new Error('hls: the browser gave up'));
			stop = () => {
				video.removeAttribute('src');
				video.load();
			};
			return;
		}
		const index = await get(url, abort.signal);
		const stream = parseIndex(await index.text());
		if (!stream) throw new Error('hls: no playlist');
		const screen = await Screen.open(video, `video/mp4; codecs="${stream.codecs}"`, fail);
		stop = () => screen.close();
		if (abort.signal.aborted) return stop();
		behind = () => screen.behind();
		await fetchParts(new URL(stream.uri, index.url), screen, abort.signal);
	}

	function close() {
		if (abort.signal.aborted) return;
		abort.abort();
		stopFrames();
		video.onerror = null;
		stop();
	}

	void open().catch(fail);
	return {
		rung: 'hls',
		element: video,
		size: () => ({ width: video.videoWidth, height: video.videoHeight }),
		delay: async () => behind(),
		close
	};
}

/** Fetches each part as soon as there is one, until the signal. */
async function fetchParts(playlist: URL, screen: Screen, signal: AbortSignal): Promise<void> {
	const bytes = async (uri: string) => (await get(new URL(uri, playlist).href, signal)).arrayBuffer();
	const media = async (next?: Media['next']): Promise<Media> => {
		const at = new URL(playlist);
		if (next) {
			at.searchParams.set('_HLS_msn', String(next.segment));
			at.searchParams.set('_HLS_part', String(next.index));
		}
		const parsed = parseMedia(await (await get(at.href, signal)).text());
		if (!parsed) throw new Error('hls: no playlist');
		return parsed;
	};
	let known = await media();
	await screen.append(await bytes(known.init), 0);
	let last: Part | undefined;
	let coming: { uri: string; body: Promise<ArrayBuffer> } | undefined;
	while (!signal.aborted) {
		try {
			for (const part of follow(known.parts, last)) {
				const body = await (part.uri === coming?.uri ? coming.body : bytes(part.uri));
				await screen.append(body, part.duration);
				last = part;
			}
			// Both are answered when the part is there, so that it has not to be asked for then.
			if (known.hint && known.hint !== coming?.uri) {
				coming = { uri: known.hint, body: bytes(known.hint) };
				coming.body.catch(() => {}); // whoever awaits it hears of it
			}
			known = await media(known.next);
		} catch (thrown) {
			if (signal.aborted) return;
			if (!(thrown instanceof TypeError)) throw thrown; // fetch's own is of the network
			await new Promise((resolve) => setTimeout(resolve, AGAIN));
			coming = undefined;
			known = await media().catch(() => known);
		}
	}
}

async function get(url: string, signal: AbortSignal): Promise<Response> {
	const response = await fetch(url, { credentials: 'same-origin', signal });
	if (!response.ok) throw await problemFrom(response);
	return response;
}

/** A video element that is fed with parts. */
class Screen {
	readonly #edge = new Edge();
	#fed = 0; // when it last was, ms

	private constructor(
		private readonly video: HTMLVideoElement,
		private readonly source: MediaSource,
		private readonly buffer: SourceBuffer,
		private readonly address: string
	) {
		video.addEventListener('waiting', this.#waits);
	}

	static async open(video: HTMLVideoElement, type: string, fail: (why: unknown) => void): Promise<Screen> {
		if (!MediaSource.isTypeSupported(type)) throw new Error(`hls: no ${type}`);
		const source = new MediaSource();
		const address = URL.createObjectURL(source);
		const opened = new Promise((resolve) => source.addEventListener('sourceopen', resolve, { once: true }));
		video.onerror = () => fail(video.error ?? new Error('hls: not to be decoded'));
		video.src = address;
		await opened;
		return new Screen(video, source, source.addSourceBuffer(type), address);
	}

	#waits = () => {
		if (!this.video.seeking && this.video.currentTime > 0) this.#edge.stalled();
	};

	/** Takes a part of so many seconds; 0: what comes before all parts. */
	async append(part: ArrayBuffer, seconds: number): Promise<void> {
		await this.#change(() => this.buffer.appendBuffer(part));
		const { buffered, currentTime: at } = this.video;
		if (seconds === 0 || buffered.length === 0) return;
		this.#fed = performance.now();
		const newest = buffered.length - 1;
		const { rate, to } = this.#edge.came({ at, start: buffered.start(newest), end: buffered.end(newest) }, seconds);
		if (to !== undefined) this.video.currentTime = to;
		this.video.playbackRate = rate;
		if (this.video.paused) void this.video.play().catch(() => {});
		const old = this.video.currentTime - KEPT;
		if (old - buffered.start(0) > KEPT) await this.#change(() => this.buffer.remove(0, old));
	}

	/** Seconds behind the newest picture that can be there. */
	behind(): number | undefined {
		const { buffered, currentTime } = this.video;
		if (buffered.length === 0 || !this.#fed) return undefined;
		return Math.max(buffered.end(buffered.length - 1) - currentTime + (performance.now() - this.#fed) / 1000, 0);
	}

	/** Does something that a source buffer ends doing later. */
	#change(begin: () => void): Promise<void> {
		return new Promise((resolve, reject) => {
			const { buffer } = this;
			buffer.addEventListener('updateend', () => resolve(), { once: true });
			try {
				begin();
			} catch (thrown) {
				reject(thrown);
			}
		});
	}

	close(): void {
		this.video.removeEventListener('waiting', this.#waits);
		this.video.removeAttribute('src');
		this.video.load();
		URL.revokeObjectURL(this.address);
	}
}
