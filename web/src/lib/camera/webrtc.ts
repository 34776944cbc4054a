import { problemFrom } from '$lib/api/client';
import { eachFrame, makeVideo, type Source, type Told } from './source';

/** How long the way may take to open once the server has answered, ms. */
const CONNECTING = 6_000;

/** Neither UDP nor TCP gets through to the server's camera port. */
export class NoWay extends Error {}

/**
 * Plays a WHEP endpoint: offer out, answer in, and the browser finds UDP or TCP by itself. The offer names none of its
 * addresses, and waits for none: the server answers to whatever address it is called from.
 */
export function playWebRTC(url: string, relays: Promise<RTCIceServer[]>, told: Told): Source {
	const video = makeVideo();
	const peer = new RTCPeerConnection();
	const abort = new AbortController();
	let resource: string | undefined;
	let closed = false;
	let timer: ReturnType<typeof setTimeout> | undefined;

	const stopFrames = eachFrame(video, () => told.frame());
	const fail = (why: unknown) => {
		if (closed) return;
		close();
		told.ended(why);
	};
	peer.addTransceiver('video', { direction: 'recvonly' });
	peer.ontrack = ({ track, streams, receiver }) => {
		// Live means the newest picture, not a smooth past.
		if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = 0;
		video.srcObject = streams[0] ?? new MediaStream([track]);
		void video.play().catch(() => {});
	};
	peer.onconnectionstatechange = () => {
		if (peer.connectionState === 'connected') clearTimeout(timer);
		if (peer.connectionState === 'failed') fail(new NoWay('whep: no way through'));
	};

	async function connect() {
		const [offer, iceServers] = await Promise.all([peer.createOffer(), relays]);
		if (closed) return;
		peer.setConfiguration({ iceServers }); // before it begins to look for addresses
		await peer.setLocalDescription(offer);
		const response = await fetch(url, {
			method: 'POST',
			credentials: 'same-origin',
			headers: { 'Content-Type': 'application/sdp' },
			body: offer.sdp,
			signal: abort.signal
		});
		if (!response.ok) throw await problemFrom(response);
		const location = response.headers.get('Location');
		if (location) resource = new URL(location, response.url).href;
		await peer.setRemoteDescription({ type: 'answer', sdp: await response.text() });
		if (closed) leave();
		else if (peer.connectionState !== 'connected') timer = setTimeout(() => fail(new NoWay('whep: no way through')), CONNECTING);
	}

	function leave() {
		if (resource) void fetch(resource, { method: 'DELETE', credentials: 'same-origin', keepalive: true }).catch(() => {});
		resource = undefined;
	}

	function close() {
		if (closed) return;
		closed = true;
		stopFrames();
		clearTimeout(timer);
		abort.abort();
		peer.onconnectionstatechange = null;
		peer.close();
		video.srcObject = null;
		leave();
	}

	void connect().catch(fail);

	let before = { delay: 0, count: 0 };
	return {
		rung: 'whep',
		element: video,
		size: () => ({ width: video.videoWidth, height: video.videoHeight }),
		close,
		async delay() {
			let half: number | undefined;
			let buffered = 0;
			for (const report of (await peer.getStats()).values()) {
				if (report.type === 'candidate-pair' && report.nominated && report.currentRoundTripTime !== undefined) {
					half = report.currentRoundTripTime / 2;
				}
				if (report.type === 'inbound-rtp' && report.kind === 'video' && report.jitterBufferEmittedCount) {
					const count = report.jitterBufferEmittedCount - before.count;
					if (count > 0) buffered = (report.jitterBufferDelay - before.delay) / count;
					before = { delay: report.jitterBufferDelay, count: report.jitterBufferEmittedCount };
				}
			}
			return half === undefined ? undefined : half + buffered;
		},
		async via() {
			const stats = await peer.getStats();
			for (const report of stats.values()) {
				if (report.type !== 'candidate-pair' || !report.nominated) continue;
				const local = stats.get(report.localCandidateId) as { candidateType?: string; protocol?: string } | undefined;
				if (local?.candidateType === 'relay') return 'relay';
				return local?.protocol === 'tcp' ? 'tcp' : 'udp';
			}
			return undefined;
		},
		offersUDP: () => / udp /i.test(peer.remoteDescription?.sdp ?? '')
	};
}
