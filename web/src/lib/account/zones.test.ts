import { describe, expect, it } from 'vitest';
import { offsetOf, zoneGroups } from './zones';

describe('zoneGroups', () => {
	it('groups by area and says the offset', () => {
		const asia = zoneGroups('Asia/Seoul').find(({ area }) => area === 'Asia');
		expect(asia?.zones).toContainEqual({ id: 'Asia/Seoul', label: 'Seoul (UTC+9)' });
	});

	it('keeps a zone that the browser does not list', () => {
		const all = zoneGroups('Etc/GMT+3').flatMap(({ zones }) => zones.map(({ id }) => id));
		expect(all).toContain('Etc/GMT+3');
		expect(all).toContain('UTC');
	});
});

describe('offsetOf', () => {
	it('follows summer time', () => {
		expect(offsetOf('Europe/Berlin', new Date('2026-01-15'))).toBe('UTC+1');
		expect(offsetOf('Europe/Berlin', new Date('2026-07-15'))).toBe('UTC+2');
	});
});
