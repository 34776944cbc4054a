import { eachFrame, makeVideo, type Source, type Told } from './source';

/** Seconds behind what it should be, from which a jump disturbs less than the delay. */
const worthAJump = 0.6;

/** Whether a place, in seconds, is among the buffered ones, with a frame or two to play behind it. */
export function holds(buffered: TimeRanges, place: number): boolean {
	for (let i = 0; i < buffered.length; i++) if (buffered.start(i) <= place && place + 0.1 <= buffered.end(i)) return true;
	return false;
}

/** Plays low-latency HLS: by hls.js, loaded only now, or by the browser itself where that has no media source. */
export function playHLS(url: string, told: Told): Source {
	const video = makeVideo();
	let closed = false;
	let stop = () => {};
	let latency: () => number | undefined = () => undefined;

	const stopFrames = eachFrame(video, () => told.frame());
	const fail = (why: unknown) => {
		if (closed) return;
		close();
		told.ended(why);
	};

	async function open() {
		const { default: Hls, Events } = await import('hls.js/light');
		if (closed) return;
		if (!Hls.isSupported()) {
			if (!video.canPlayType('application/vnd.apple.mpegurl')) throw new Error('hls: not in this browser');
			video.src = url;
			video.onerror = () => fail(new Error('hls: the browser gave up'));
			stop = () => {
				video.removeAttribute('src');
				video.load();
			};
			return;
		}
		const hls = new Hls({
			lowLatencyMode: true,
			enableWorker: false,
			backBufferLength: 10,
			maxLiveSyncPlaybackRate: 1.5,
			liveSyncOnStallIncrease: 0.2 // a part; by itself it stays a second further behind after each stall
		});
		// It begins at a key frame, which may be seconds old, and playing faster takes long: what is there already is left out.
		const jump = setInterval(() => {
			const to = hls.liveSyncPosition;
			if (to && hls.latency > (hls.targetLatency ?? 0) + worthAJump && holds(video.buffered, to)) video.currentTime = to;
		}, 500);
		stop = () => {
			clearInterval(jump);
			hls.destroy();
		};
		latency = () => (hls.latency > 0 ? hls.latency : undefined);
		let recovered = 0;
		hls.on(Events.ERROR, (_, data) => {
			if (!data.fatal) return;
			if (data.type === 'mediaError' && recovered++ < 2) hls.recoverMediaError();
			else fail(new Error(`hls: ${data.details}`));
		});
		hls.loadSource(url);
		hls.attachMedia(video);
		void video.play().catch(() => {});
	}

	function close() {
		if (closed) return;
		closed = true;
		stopFrames();
		stop();
	}

	void open().catch(fail);
	return {
		rung: 'hls',
		element: video,
		size: () => ({ width: video.videoWidth, height: video.videoHeight }),
		delay: async () => latency(),
		close
	};
}
