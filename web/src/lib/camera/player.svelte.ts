import { api, asProblem, type Problem } from '$lib/api/client';
import type { CameraInfo } from '$lib/api/types';
import { playHLS } from './hls';
import { playMJPEG, playPictures } from './jpeg';
import { Ladder, RUNGS, type Rung } from './ladder';
import type { Source, Told } from './source';
import { playWebRTC } from './webrtc';

/** How long a rung may take to its first frame, ms. The agent has to open the camera within it. */
const FIRST_FRAME: Record<Rung, number> = { webrtc: 10_000, hls: 15_000, mjpeg: 12_000, pictures: 15_000 };
/** How long no frame may come before the picture counts as standing, and before the rung is given up, ms. */
const STANDS: Record<Rung, number> = { webrtc: 2_000, hls: 4_000, mjpeg: 3_000, pictures: 7_000 };
const GIVE_UP = 8_000;
const TICK = 500;
/** A page that nobody sees lets go of the camera after this time, ms. */
const HIDDEN = 20_000;

interface Running {
	source: Source;
	begun: number;
	/** Of the last frame; 0: none yet. */
	last: number;
	over: boolean;
}

/**
 * Shows one camera in an element, by the best way that works: walks down when one fails, and tries a better one beside
 * the running picture. Make it, attach it, and end it with the function that attach returns.
 */
export class Player {
	/** live: frames arrive; stands: they have stopped for a moment. */
	state = $state<'opening' | 'live' | 'stands' | 'failed'>('opening');
	rung = $state<Rung | undefined>();
	via = $state<string | undefined>();
	/** Seconds from camera to screen. */
	delay = $state<number | undefined>();
	size = $state({ width: 0, height: 0 });
	info = $state.raw<CameraInfo | undefined>();
	/** Why the server does not even tell about the camera. */
	problem = $state.raw<Problem | undefined>();

	readonly #base: string;
	readonly #ladder = new Ladder();
	#place: HTMLElement | undefined;
	#shown: Running | undefined;
	#trying: Running | undefined;
	#timer: ReturnType<typeof setInterval> | undefined;
	#ticks = 0;
	#hiddenAt = 0;
	#asking = false;
	#askedAt = -Infinity;

	/** path is the camera's under /api/v1, such as /printers/{uuid}/cameras/{id}. */
	constructor(path: string) {
		this.#base = path;
	}

	attach = (place: HTMLElement): (() => void) => {
		this.#place = place;
		const network = () => this.again();
		addEventListener('online', network);
		this.#timer = setInterval(() => this.#tick(), TICK);
		void this.#ask();
		this.#tick();
		return () => {
			removeEventListener('online', network);
			clearInterval(this.#timer);
			this.#stop();
			this.#place = undefined;
		};
	};

	/** Tries everything anew, from the top. */
	again(): void {
		this.#ladder.forget();
		this.#askedAt = -Infinity;
		if (this.state === 'failed') this.state = 'opening';
		void this.#ask();
		this.#tick();
	}

	/** The element that shows the picture now. */
	get element(): Source['element'] | undefined {
		return this.#shown?.source.element;
	}

	#tick(): void {
		const now = performance.now();
		this.#ticks++;
		if (document.hidden) {
			this.#hiddenAt ||= now;
			if (now - this.#hiddenAt > HIDDEN) this.#stop();
			return;
		}
		this.#hiddenAt = 0;
		this.#look(this.#trying, now);
		this.#look(this.#shown, now);
		if (!this.#trying && !this.#shown) {
			const rung = this.#ladder.wait(now) === 0 ? this.#ladder.start(now) : undefined;
			if (rung) this.#try(rung, now);
			else this.state = 'failed';
		} else if (this.#shown && !this.#trying) {
			const rung = this.#ladder.better(this.#shown.source.rung, now);
			if (rung) this.#try(rung, now);
		}
		if (this.#shown && this.#ticks % 4 === 0) void this.#measure(this.#shown.source);
		// While there is no picture, or now and then, what the server knows of the camera.
		if (now - this.#askedAt > (this.state === 'live' ? 15_000 : 2_500)) void this.#ask();
	}

	/** Gives up a way that has brought nothing for too long. */
	#look(running: Running | undefined, now: number): void {
		if (!running) return;
		const { rung } = running.source;
		if (running === this.#shown) {
			const silent = now - running.last;
			this.state = silent > STANDS[rung] ? 'stands' : 'live';
			if (silent <= STANDS[rung]) this.#ladder.live(rung, now);
			if (silent > STANDS[rung] + GIVE_UP) running.over = true;
		} else if (now - running.begun > FIRST_FRAME[rung]) {
			running.over = true;
		}
		if (running.over) this.#drop(running, now);
	}

	#drop(running: Running, now: number): void {
		this.#ladder.failed(running.source.rung, now);
		running.source.close();
		running.source.element.remove();
		if (running === this.#trying) this.#trying = undefined;
		if (running === this.#shown) {
			this.#shown = undefined;
			this.rung = this.via = this.delay = undefined;
			this.state = 'opening';
		}
		void this.#ask();
	}

	#try(rung: Rung, now: number): void {
		const told: Told = {
			frame: () => this.#frame(running),
			ended: () => {
				running.over = true;
			}
		};
		const running: Running = { source: this.#open(rung, told), begun: now, last: 0, over: false };
		running.source.element.classList.add('waiting');
		this.#place?.append(running.source.element);
		this.#trying = running;
		if (!this.#shown) this.state = 'opening';
	}

	#open(rung: Rung, told: Told): Source {
		const at = `/api/v1${this.#base}`;
		switch (rung) {
			case 'webrtc':
				return playWebRTC(`${at}/whep`, this.info?.ice_servers ?? [], told);
			case 'hls':
				return playHLS(`${at}/hls/index.m3u8`, told);
			case 'mjpeg':
				return playMJPEG(`${at}/mjpeg`, told);
			case 'pictures':
				return playPictures(`${at}/snapshot.jpg`, told);
		}
	}

	#frame(running: Running): void {
		running.last = performance.now();
		if (running === this.#trying) {
			// The first frame: it takes the other one's place.
			this.#trying = undefined;
			const before = this.#shown;
			this.#shown = running;
			running.source.element.classList.remove('waiting');
			before?.source.close();
			before?.source.element.remove();
			this.rung = running.source.rung;
			this.via = this.delay = undefined;
			void this.#measure(running.source);
		}
		if (running !== this.#shown) return;
		if (this.state !== 'live') this.state = 'live';
		const size = running.source.size();
		if (size.width !== this.size.width || size.height !== this.size.height) this.size = size;
	}

	async #measure(source: Source): Promise<void> {
		try {
			const [delay, via] = await Promise.all([source.delay(), source.via?.()]);
			if (source !== this.#shown?.source) return;
			this.delay = delay;
			this.via = via;
		} catch {
			// It was closed meanwhile.
		}
	}

	async #ask(): Promise<void> {
		if (this.#asking) return;
		this.#asking = true;
		this.#askedAt = performance.now();
		try {
			this.info = await api.get<CameraInfo>(this.#base, { quiet: true });
			this.problem = undefined;
			const rungs = this.info.rungs?.filter((rung): rung is Rung => (RUNGS as readonly string[]).includes(rung));
			if (rungs?.length) this.#ladder.allow(rungs);
		} catch (thrown) {
			this.problem = asProblem(thrown);
		} finally {
			this.#asking = false;
		}
	}

	#stop(): void {
		for (const running of [this.#shown, this.#trying]) {
			running?.source.close();
			running?.source.element.remove();
		}
		this.#shown = this.#trying = undefined;
		this.rung = this.via = this.delay = undefined;
		this.state = 'opening';
	}
}
