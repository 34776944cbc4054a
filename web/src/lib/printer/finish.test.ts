import { describe, expect, it } from 'vitest';
import type { Printer } from '$lib/api/types';
import { m } from '$lib/paraglide/messages';
import { finishAt, originWord, secondsLeft, share, wholePercent } from './finish';
import { samplePrinter } from './sample';

const printing = (progress: Partial<Printer['progress']>, changes: Partial<Printer> = {}) =>
	samplePrinter({ status: 'printing', progress: { completion: 50, print_time: 60, time_left: null, ...progress }, ...changes });

describe('finishAt', () => {
	it('takes the server’s own finish time first', () => {
		const at = finishAt(printing({ finish_at: '2026-11-23T09:42:00Z', time_left: 1 }));
		expect(at).toBe(Date.parse('2026-11-23T09:42:00Z'));
	});

	it('else counts from the report, not from now', () => {
		expect(finishAt(printing({ time_left: 600 }))).toBe(Date.parse('2026-11-23T09:10:00Z'));
	});

	it('says nothing of what cannot be known', () => {
		expect(finishAt(printing({}))).toBeUndefined();
		expect(finishAt(printing({ time_left: -5 }))).toBeUndefined();
		expect(finishAt(printing({ time_left: 600 }, { status: 'paused' }))).toBeUndefined();
		expect(finishAt(printing({ time_left: 600 }, { status: 'idle' }))).toBeUndefined();
		expect(finishAt(printing({ time_left: 600 }, { reported_at: undefined }))).toBeUndefined();
	});
});

describe('share and wholePercent', () => {
	it('never shows 100 % before it is done', () => {
		expect(wholePercent(share(99.97) ?? 0)).toBe(99);
		expect(wholePercent(share(100) ?? 0)).toBe(100);
		expect(wholePercent(share(0.4) ?? 0)).toBe(0);
	});

	it('keeps odd numbers within the bar', () => {
		expect(share(130)).toBe(1);
		expect(share(-3)).toBe(0);
		expect(share(Number.NaN)).toBeUndefined();
		expect(share(null)).toBeUndefined();
	});
});

describe('secondsLeft', () => {
	it('does not go below zero', () => {
		expect(secondsLeft(1000, 5000)).toBe(0);
		expect(secondsLeft(61_000, 1000)).toBe(60);
	});
});

describe('originWord', () => {
	it('has words for OctoPrint’s origins and names a plugin’s', () => {
		for (const origin of ['linear', 'analysis', 'average', 'mixed-analysis', 'mixed-average', 'genius', 'slicer']) {
			expect(originWord(origin)).not.toBe(m.printer_origin_other({ name: origin }));
		}
		expect(originWord('TimeWizard')).toContain('TimeWizard');
		expect(originWord(null)).toBeUndefined();
		expect(originWord('')).toBeUndefined();
	});
});
