/** The formatters bound to the viewer: read in a template, they follow a change of language or time zone. */
import { m } from '$lib/paraglide/messages';
import * as f from './format';
import { locale } from './locale.svelte';

type Time = Date | string | number;

export const clock = (time: Time) => f.formatClock(time, locale.current, locale.zone);
export const clockSeconds = (time: Time) => f.formatClockSeconds(time, locale.current, locale.zone);
export const date = (time: Time) => f.formatDate(time, locale.current, locale.zone);
export const day = (time: Time) => f.formatDay(time, locale.current, locale.zone);
export const dateTime = (time: Time) => f.formatDateTime(time, locale.current, locale.zone);
export const clockOrDay = (time: Time, now?: Time) => f.formatClockOrDay(time, locale.current, locale.zone, now);
export const relative = (time: Time, now?: Time) => f.formatRelative(time, locale.current, now);
export const bytes = (size: number) => f.formatBytes(size, locale.current);
export const number = (value: number, options?: Intl.NumberFormatOptions) => f.formatNumber(value, locale.current, options);
/** 0.72 → "72%" */
export const percent = (share: number, digits = 0) =>
	f.formatNumber(share, locale.current, { style: 'percent', minimumFractionDigits: digits, maximumFractionDigits: digits });

/** A short time with its unit: "0.1초" or "0.1s". */
export const seconds = (value: number) =>
	f.formatNumber(value, locale.current, { style: 'unit', unit: 'second', unitDisplay: 'narrow', minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** Seconds as "1시간 12분" or "1 h 12 min". */
export function spokenDuration(seconds: number): string {
	const { d, h, m: minutes, s } = f.durationParts(seconds);
	if (d > 0) return h > 0 ? m.common_duration_dh({ d, h }) : m.common_duration_d({ d });
	if (h > 0) return minutes > 0 ? m.common_duration_hm({ h, m: minutes }) : m.common_duration_h({ h });
	if (minutes > 0) return m.common_duration_m({ m: minutes });
	return m.common_duration_s({ s });
}

/** How long to wait, as a countdown shows it: seconds up to two minutes, then whole minutes, never too short. */
export function spokenWait(seconds: number): string {
	if (seconds <= 120) return m.common_duration_s({ s: Math.ceil(seconds) });
	return spokenDuration(Math.ceil(seconds / 60) * 60);
}
