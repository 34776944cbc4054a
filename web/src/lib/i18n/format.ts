/** Numbers and times as text, for a language and a zone: pure, so that they are tested without a page. */
import type { Language } from '$lib/api/types';

type Time = Date | string | number;

const tags: Record<Language, string> = { ko: 'ko-KR', en: 'en-GB' };

const dateFormats = new Map<string, Intl.DateTimeFormat>();
function dates(language: Language, zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
	const key = language + zone + JSON.stringify(options);
	let format = dateFormats.get(key);
	if (!format) {
		format = new Intl.DateTimeFormat(tags[language], { timeZone: zone, ...options });
		dateFormats.set(key, format);
	}
	return format;
}

const numberFormats = new Map<string, Intl.NumberFormat>();
export function formatNumber(value: number, language: Language, options: Intl.NumberFormatOptions = {}): string {
	const key = language + JSON.stringify(options);
	let format = numberFormats.get(key);
	if (!format) {
		format = new Intl.NumberFormat(tags[language], options);
		numberFormats.set(key, format);
	}
	return format.format(value);
}

function asDate(time: Time): Date {
	return time instanceof Date ? time : new Date(time);
}

/** "18:42" */
export function formatClock(time: Time, language: Language, zone: string): string {
	return dates(language, zone, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(asDate(time));
}

/** "18:42:07" */
export function formatClockSeconds(time: Time, language: Language, zone: string): string {
	return dates(language, zone, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }).format(asDate(time));
}

/** "2026. 11. 23." or "23 Nov 2026" */
export function formatDate(time: Time, language: Language, zone: string): string {
	return dates(language, zone, { dateStyle: 'medium' }).format(asDate(time));
}

/** "11월 23일" or "23 Nov" */
export function formatDay(time: Time, language: Language, zone: string): string {
	return dates(language, zone, { month: 'short', day: 'numeric' }).format(asDate(time));
}

/** Date and clock time. */
export function formatDateTime(time: Time, language: Language, zone: string): string {
	return dates(language, zone, {
		year: 'numeric',
		month: 'short',
		day: 'numeric',
		hour: '2-digit',
		minute: '2-digit',
		hourCycle: 'h23'
	}).format(asDate(time));
}

/** The calendar day in the zone, to tell today from tomorrow. */
function dayNumber(time: Time, zone: string): number {
	const parts = dates('en', zone, { year: 'numeric', month: '2-digit', day: '2-digit' }).formatToParts(asDate(time));
	const of = (type: string) => Number(parts.find((part) => part.type === type)?.value);
	return Date.UTC(of('year'), of('month') - 1, of('day')) / 86_400_000;
}

/** Clock time today; with its day ("11월 24일 08:10") on any other. */
export function formatClockOrDay(time: Time, language: Language, zone: string, now: Time = Date.now()): string {
	const clock = formatClock(time, language, zone);
	if (dayNumber(time, zone) === dayNumber(now, zone)) return clock;
	return dates(language, zone, { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(
		asDate(time)
	);
}

const relativeFormats = new Map<Language, Intl.RelativeTimeFormat>();
const steps: [limit: number, unit: Intl.RelativeTimeFormatUnit, seconds: number][] = [
	[60, 'second', 1],
	[3600, 'minute', 60],
	[86_400, 'hour', 3600],
	[86_400 * 30, 'day', 86_400],
	[86_400 * 365, 'month', 86_400 * 30],
	[Infinity, 'year', 86_400 * 365]
];

/** "3분 전", "in 2 hours"; "now" within five seconds. */
export function formatRelative(time: Time, language: Language, now: Time = Date.now()): string {
	let format = relativeFormats.get(language);
	if (!format) {
		format = new Intl.RelativeTimeFormat(tags[language], { numeric: 'auto' });
		relativeFormats.set(language, format);
	}
	const seconds = (asDate(time).getTime() - asDate(now).getTime()) / 1000;
	const size = Math.abs(seconds);
	if (size < 5) return format.format(0, 'second');
	for (const [limit, unit, length] of steps) {
		if (size < limit) return format.format(Math.trunc(seconds / length), unit);
	}
	return '';
}

/** A duration's parts, rounded the way people say it: seconds only under a minute, no minutes from ten days on. */
export function durationParts(seconds: number): { d: number; h: number; m: number; s: number } {
	const whole = Math.max(0, Math.round(seconds));
	if (whole < 60) return { d: 0, h: 0, m: 0, s: whole };
	const minutes = Math.round(whole / 60);
	return { d: Math.floor(minutes / 1440), h: Math.floor((minutes % 1440) / 60), m: minutes % 60, s: 0 };
}

const units = ['B', 'KB', 'MB', 'GB', 'TB'];

/** "18.2 MB" */
export function formatBytes(bytes: number, language: Language): string {
	let value = bytes;
	let unit = 0;
	while (value >= 1000 && unit < units.length - 1) {
		value /= 1000;
		unit++;
	}
	const digits = unit === 0 || value >= 100 ? 0 : 1;
	return `${formatNumber(value, language, { maximumFractionDigits: digits })}\u00a0${units[unit]}`;
}
