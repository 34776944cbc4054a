import { untrack } from 'svelte';
import { api, asProblem, Problem } from '$lib/api/client';
import type { CameraInfo } from '$lib/api/types';
import { serverClock } from '$lib/live/clock.svelte';
import { playHLS } from './hls';
import { playMJPEG, playPictures } from './jpeg';
import { Ladder, RUNGS, type Rung } from './ladder';
import type { Source, Told, Via } from './source';
import { NoWay, playWebRTC } from './webrtc';

/** How long a rung may take to its first frame, ms. The agent has to open the camera within it. */
const FIRST_FRAME: Record<Rung, number> = { whep: 10_000, hls: 15_000, mjpeg: 12_000, picture: 15_000 };
/** How long no frame may come before the picture counts as standing, and before the rung is given up, ms. */
const STANDS: Record<Rung, number> = { whep: 3_000, hls: 4_000, mjpeg: 3_000, picture: 7_000 };
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
	via = $state<Via | undefined>();
	/** Seconds from camera to screen. */
	delay = $state<number | undefined>();
	size = $state({ width: 0, height: 0 });
	info = $state.raw<CameraInfo | undefined>();
	/** Why the server does not even tell about the camera. */
	problem = $state.raw<Problem | undefined>();
	/** As many look as may; what comes of the picture nevertheless is one every two seconds. */
	full = $state.raw<Problem | undefined>();

	readonly #base: string;
	readonly #ladder = new Ladder();
	#place: HTMLElement | undefined;
	#shown: Running | undefined;
	#trying: Running | undefined;
	#timer: ReturnType<typeof setInterval> | undefined;
	#ticks = 0;
	#known: Promise<void> = Promise.resolve();
	#hiddenAt = 0;
	#asking = false;
	#askedAt = -Infinity;
	#reported = false;
	/** What this browser's network does not let through, as the server calls it. */
	#blocked: 'udp_blocked' | 'tcp_blocked' | 'no_viewer_path' | undefined;

	/** path is the camera's under /api/v1, such as /printers/{uuid}/cameras/{id}. */
	constructor(path: string) {
		this.#base = path;
	}

	attach = (place: HTMLElement): (() => void) => {
		// What is read here changes all the time, and is no reason to begin anew.
		return untrack(() => this.#begin(place));
	};

	#begin(place: HTMLElement): () => void {
		this.#place = place;
		const network = () => this.again();
		addEventListener('online', network);
		this.#timer = setInterval(() => this.#tick(), TICK);
		void this.#ask(); // which opens the camera, meanwhile:
		this.#known = this.#know();
		this.#tick();
		return () => {
			removeEventListener('online', network);
			clearInterval(this.#timer);
			this.#stop();
			this.#place = undefined;
		};
	}

	/** Tries everything anew, from the top. */
	again(): void {
		this.#ladder.forget();
		this.#askedAt = -Infinity;
		if (this.state === 'failed') this.state = 'opening';
		void this.#ask();
		this.#tick();
	}

	/** Asks anew how the camera is, for somebody who wants to know. */
	async refresh(): Promise<void> {
		if (this.#blocked) await this.#report({ code: this.#blocked }); // the server forgets it after a while
		await this.#ask();
	}

	/** The element that shows the picture now. */
	get element(): Source['element'] | undefined {
		return this.#shown?.source.element;
	}

	#tick(): void {
		const now = performance.now();
		this.#ticks++;
		if (!this.#place) return;
		if (document.hidden) {
			this.#hiddenAt ||= now;
			if (now - this.#hiddenAt > HIDDEN && !document.pictureInPictureElement) this.#stop();
			return;
		}
		if (this.#hiddenAt) {
			// Browsers tell of no frames while a page is hidden: they are not missing.
			for (const running of [this.#shown, this.#trying]) if (running) running.last = running.begun = now;
			this.#hiddenAt = 0;
		}
		this.#look(this.#trying, now);
		this.#look(this.#shown, now);
		if (!this.#trying && !this.#shown) {
			const rung = this.#ladder.wait(now) === 0 ? this.#ladder.start(now) : undefined;
			if (rung) this.#try(rung, now);
			else this.#fail();
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
			ended: (why) => {
				running.over = true;
				if (why instanceof NoWay) this.#blocked = 'tcp_blocked';
				if (why instanceof Problem && why.code === 'too_many_viewers') this.full = why;
				this.#tick();
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
			case 'whep':
				return playWebRTC(`${at}/whep`, this.#known.then(() => this.info?.ice_servers ?? []), told);
			case 'hls':
				return playHLS(`${at}/hls/index.m3u8`, told);
			case 'mjpeg':
				return playMJPEG(`${at}/mjpeg`, told);
			case 'picture':
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
			this.#reported = false;
			if (this.rung !== 'picture') this.full = undefined;
			if (this.rung === 'whep') this.#blocked = undefined;
			else if (this.#blocked) void this.#report({ code: this.#blocked, rung: this.rung });
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
			this.delay = delay === undefined ? undefined : delay + this.#untilServer(source.rung);
			this.via = via;
			if (via === 'tcp' && source.offersUDP?.()) this.#blocked = 'udp_blocked';
			if (this.delay !== undefined && !this.#reported && performance.now() - (this.#shown?.begun ?? Infinity) > 10_000) {
				this.#reported = true;
				void this.#report({ rung: source.rung, delay_ms: Math.round(this.delay * 1000), code: this.#blocked });
			}
		} catch {
			// It was closed meanwhile.
		}
	}

	/** Seconds from the camera to the server. JPEGs say themselves when they were taken. */
	#untilServer(rung: Rung): number {
		return rung === 'whep' || rung === 'hls' ? (this.info?.delay_ms ?? 0) / 1000 : 0;
	}

	/** What is known without opening the camera: relays for WebRTC, and the ways of a stream that runs already. */
	async #know(): Promise<void> {
		try {
			const begun = performance.now();
			const info = await api.get<CameraInfo>(this.#base, { quiet: true, query: { wait: false } });
			serverClock.told(info.now, performance.now() - begun); // JPEGs say when they were taken, by that clock
			this.#take(info);
		} catch {
			// The other question says what is wrong.
		}
	}

	#take(info: CameraInfo): void {
		// The device has begun to send video: the better ways, which failed for the lack of it, are open now.
		if (this.info?.codec === 'jpeg' && info.codec === 'h264') this.#ladder.forget();
		this.info = info;
		const possible = info.rungs.filter((way) => way.possible).map((way) => way.rung);
		this.#ladder.allow(RUNGS.filter((rung) => possible.includes(rung)));
		// What the stream turns out not to have is not waited for.
		const trying = this.#trying;
		if (trying && !this.#ladder.possible.includes(trying.source.rung)) {
			trying.over = true;
			this.#tick();
		}
	}

	async #ask(): Promise<void> {
		if (this.#asking) return;
		this.#asking = true;
		this.#askedAt = performance.now();
		try {
			// With a picture nothing needs to be waited for; without one the server opens the camera and says how it is.
			this.#take(await api.get<CameraInfo>(this.#base, { quiet: true, query: { wait: !this.#shown } }));
			this.problem = undefined;
		} catch (thrown) {
			this.problem = asProblem(thrown);
		} finally {
			this.#asking = false;
		}
	}

	#fail(): void {
		if (this.state !== 'failed' && this.info?.state === 'running' && !this.info.error && !this.full) {
			this.#blocked = 'no_viewer_path';
			void this.#report({ code: this.#blocked });
		}
		this.state = 'failed';
	}

	/** Tells the server what reaches this page, for its diagnosis and its figures. */
	async #report(what: { rung?: Rung; code?: string; delay_ms?: number }): Promise<void> {
		try {
			await api.post(`${this.#base}/report`, what, { quiet: true });
		} catch {
			// It can do without.
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
