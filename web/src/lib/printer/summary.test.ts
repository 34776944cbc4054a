import { describe, expect, it } from 'vitest';
import { samplePrinter } from './sample';
import { belongs, summarise } from './summary';

describe('summarise', () => {
	it('counts what the tiles say', () => {
		const summary = summarise([
			{ data: samplePrinter(), finish: undefined },
			{ data: samplePrinter({ status: 'printing' }), finish: 2000 },
			{ data: samplePrinter({ status: 'heating' }), finish: 1000 },
			{ data: samplePrinter({ status: 'paused' }), finish: undefined },
			{ data: samplePrinter({ online: false, status: 'offline', attention: ['offline_while_printing'] }), finish: undefined }
		]);
		expect(summary).toMatchObject({ all: 5, idle: 1, online: 4, offline: 1, printing: 2, nextFinish: 1000, attention: 1 });
		expect(summary.offlineSince).toBe('2026-11-23T09:00:00Z');
	});

	it('says since when only of a single one, and names the commonest reason first', () => {
		const away = samplePrinter({ online: false, status: 'offline' });
		const summary = summarise([
			...[1, 2, 3].map(() => ({ data: { ...away, attention: ['error'] }, finish: undefined })),
			{ data: samplePrinter({ attention: ['print_failed', 'error'] }), finish: undefined }
		]);
		expect(summary.offlineSince).toBeUndefined();
		expect(summary.reasons).toEqual(['error', 'print_failed']);
		expect(summary.attention).toBe(4);
	});

	it('is all zeroes for nobody', () => {
		expect(summarise([])).toMatchObject({ all: 0, online: 0, nextFinish: undefined, reasons: [] });
	});
});

describe('belongs', () => {
	it('shows what a tile counts', () => {
		const one = { online: true, printing: false, urgent: true };
		expect(['all', 'online', 'printing', 'attention'].map((shown) => belongs(one, shown as 'all'))).toEqual([true, true, false, true]);
	});
});
