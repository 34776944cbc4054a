import { seconds } from '$lib/i18n/format.svelte';
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
