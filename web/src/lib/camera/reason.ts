import { seconds } from '$lib/i18n/format.svelte';
import { m } from '$lib/paraglide/messages';
import type { Rung } from './ladder';
import type { Player } from './player.svelte';

const names: Record<Rung, (via: string | undefined) => string> = {
	whep: (via) => (via === 'tcp' ? m.camera_rung_webrtc_tcp() : m.camera_rung_webrtc()),
	hls: () => m.camera_rung_hls(),
	mjpeg: () => m.camera_rung_mjpeg(),
	picture: () => m.camera_rung_pictures()
};

/** How the picture comes, in a word. */
export function rungName(rung: Rung, via?: string): string {
	return names[rung](via);
}

/** What stands in the corner of the picture: whether it is live, how it comes, how old it is. */
export function badge(player: Player): string {
	const { rung, via, delay } = player;
	if (player.state === 'stands') return m.camera_stands();
	if (!rung) return m.camera_live();
	const way = rungName(rung, via);
	return delay === undefined ? m.camera_live_by({ way }) : m.camera_live_delay({ way, delay: seconds(delay) });
}
