import { describe, expect, it } from 'vitest';
import { durationParts, formatBytes, formatClock, formatClockOrDay, formatRelative } from './format';

describe('formatClock', () => {
	it('shows the viewer’s zone, not the machine’s', () => {
		expect(formatClock('2026-11-23T09:42:00Z', 'ko', 'Asia/Seoul')).toBe('18:42');
		expect(formatClock('2026-11-23T09:42:00Z', 'en', 'UTC')).toBe('09:42');
	});

	it('writes midnight as 00', () => {
		expect(formatClock('2026-11-23T15:00:00Z', 'ko', 'Asia/Seoul')).toBe('00:00');
	});
});

describe('formatClockOrDay', () => {
	it('adds the day when it is not today in the zone', () => {
		const now = '2026-11-23T14:00:00Z'; // 23:00 in Seoul
		expect(formatClockOrDay('2026-11-23T14:30:00Z', 'ko', 'Asia/Seoul', now)).toBe('23:30');
		expect(formatClockOrDay('2026-11-23T15:30:00Z', 'ko', 'Asia/Seoul', now)).toContain('24일');
	});
});

describe('durationParts', () => {
	it('rounds to what people say', () => {
		expect(durationParts(4320)).toEqual({ d: 0, h: 1, m: 12, s: 0 });
		expect(durationParts(59.4)).toEqual({ d: 0, h: 0, m: 0, s: 59 });
		expect(durationParts(3599)).toEqual({ d: 0, h: 1, m: 0, s: 0 });
		expect(durationParts(-5)).toEqual({ d: 0, h: 0, m: 0, s: 0 });
	});
});

describe('formatRelative', () => {
	const now = '2026-11-23T12:00:00Z';
	it('speaks both languages', () => {
		expect(formatRelative('2026-11-23T11:46:00Z', 'ko', now)).toBe('14분 전');
		expect(formatRelative('2026-11-23T11:46:00Z', 'en', now)).toBe('14 minutes ago');
		expect(formatRelative('2026-11-23T14:00:00Z', 'en', now)).toBe('in 2 hours');
	});
});

describe('formatBytes', () => {
	it('keeps three figures, and the unit in the figure’s line', () => {
		expect(formatBytes(18_200_000, 'ko')).toBe('18.2\u00a0MB');
		expect(formatBytes(512, 'en')).toBe('512\u00a0B');
		expect(formatBytes(245_300, 'en')).toBe('245\u00a0KB');
	});
});
