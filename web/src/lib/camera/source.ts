import type { Rung } from './ladder';

export type Via = 'udp' | 'tcp' | 'relay';

/** What a source tells its player. Nothing is told after close. */
export interface Told {
	/** A new picture is on the screen. */
	frame(): void;
	/** There will be no more. */
	ended(why: unknown): void;
}

/** One way of getting the picture, with the element that shows it. */
export interface Source {
	readonly rung: Rung;
	readonly element: HTMLVideoElement | HTMLCanvasElement;
	/** Of the picture, in pixels; 0 until one is there. */
	size(): { width: number; height: number };
	/** Seconds between the camera and the screen, as far as it can be told. */
	delay(): Promise<number | undefined>;
	/** How it travels, where that is worth a word. */
	via?(): Promise<Via | undefined>;
	/** Whether the server would have sent it by UDP. */
	offersUDP?(): boolean;
	close(): void;
}

export function makeVideo(): HTMLVideoElement {
	const video = document.createElement('video');
	video.muted = true;
	video.playsInline = true;
	video.autoplay = true;
	video.disableRemotePlayback = true;
	return video;
}

/** Has fn called for each frame that a video shows, until the returned function is called. */
export function eachFrame(video: HTMLVideoElement, fn: () => void): () => void {
	let stopped = false;
	if ('requestVideoFrameCallback' in video) {
		const next = () => {
			if (stopped) return;
			fn();
			video.requestVideoFrameCallback(next);
		};
		video.requestVideoFrameCallback(next);
		return () => (stopped = true);
	}
	// Firefox before 132: the clock of the video moves only with its frames.
	const old: HTMLMediaElement = video;
	old.addEventListener('timeupdate', fn);
	return () => old.removeEventListener('timeupdate', fn);
}
