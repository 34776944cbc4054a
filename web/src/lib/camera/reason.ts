import type { CameraInfo } from '$lib/api/types';
import { number, seconds } from '$lib/i18n/format.svelte';
import { m } from '$lib/paraglide/messages';
import type { Rung } from './ladder';
import type { Player } from './player.svelte';
import type { Via } from './source';

const webrtc: Record<Via, () => string> = {
	udp: () => m.camera_rung_webrtc(),
	tcp: () => m.camera_rung_webrtc_tcp(),
	relay: () => m.camera_rung_webrtc_relay()
};

const names: Record<Rung, (via: Via | undefined) => string> = {
	whep: (via) => webrtc[via ?? 'udp'](),
	hls: () => m.camera_rung_hls(),
	mjpeg: () => m.camera_rung_mjpeg(),
	picture: () => m.camera_rung_pictures()
};

/** How the picture comes, in a word. */
export function rungName(rung: Rung, via?: Via): string {
	return names[rung](via);
}

const codecs: Record<string, string> = { h264: 'H.264', h265: 'H.265' };

/** A video format as people write it. */
export const codecName = (codec: string): string => codecs[codec] ?? codec.toUpperCase();

/** What stands in the corner of the picture: whether it is live, how it comes, how old it is. */
export function badge(player: Player): string {
	const { rung, via, delay } = player;
	if (player.state === 'stands') return m.camera_stands();
	if (!rung) return m.camera_live();
	const way = rungName(rung, via);
	return delay === undefined ? m.camera_live_by({ way }) : m.camera_live_delay({ way, delay: behind(delay) });
}

/** How old a picture is. No measurement of a page is good for less than a tenth of a second. */
export const behind = (delay: number): string => (delay < 0.1 ? m.camera_delay_below({ delay: seconds(0.1) }) : seconds(delay));

const whys: Record<NonNullable<CameraInfo['encoded']>, (info: CameraInfo) => string> = {
	always: () => m.camera_encoded_always(),
	budget: (info) => m.camera_encoded_budget({ needs: kbps(info.needs_kbps), most: kbps(info.max_kbps) }),
	uplink: (info) => m.camera_encoded_uplink({ needs: kbps(info.needs_kbps) }),
	codec: () => m.camera_encoded_codec()
};
const kbps = (n = 0): string => m.camera_kbps({ kbps: number(n) });

/** Why the picture is turned into H.264 beside the printer, and by what; none while it goes as it comes. */
export function encoded(info: CameraInfo): string | undefined {
	if (!info.encoded) return undefined;
	const why = whys[info.encoded](info);
	return info.encoder ? `${why} (${info.encoder})` : why;
}
