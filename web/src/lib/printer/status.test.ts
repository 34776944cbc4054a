import { describe, expect, it } from 'vitest';
import type { PrinterStatus } from '$lib/api/types';
import { samplePrinter } from './sample';
import { isActive, isPrinting, isStale, isWired, lookOf, statusTone, statusWord } from './status';

const statuses: PrinterStatus[] = [
	'offline',
	'connecting',
	'idle',
	'heating',
	'printing',
	'pausing',
	'paused',
	'resuming',
	'cancelling',
	'finishing',
	'error',
	'unknown'
];

describe('isWired', () => {
	it('lets the printer be connected again after an emergency stop, which ends in an error', () => {
		expect(isWired(samplePrinter({ status: 'error' }))).toBe(false);
		expect(isWired(samplePrinter({ status: 'offline' }))).toBe(false);
		expect(isWired(samplePrinter({ online: false, status: 'idle' }))).toBe(false);
	});

	it('has it on the wire in every other state', () => {
		for (const status of statuses.filter((s) => s !== 'error' && s !== 'offline')) expect(isWired(samplePrinter({ status })), status).toBe(true);
	});
});

describe('lookOf', () => {
	it('tells a device that is away from one whose printer is', () => {
		expect(lookOf(samplePrinter({ online: false, status: 'offline' }))).toBe('offline');
		expect(lookOf(samplePrinter({ online: true, status: 'offline' }))).toBe('disconnected');
		expect(lookOf(samplePrinter({ online: false, status: 'printing' }))).toBe('offline');
	});

	it('asks to finish the set-up only until the device is there', () => {
		expect(lookOf(samplePrinter({ pending: true, online: false, status: 'offline' }))).toBe('pending');
		expect(lookOf(samplePrinter({ pending: true, status: 'idle' }))).toBe('idle');
	});

	it('takes a status of a newer server for unknown', () => {
		expect(lookOf(samplePrinter({ status: 'dancing' as PrinterStatus }))).toBe('unknown');
	});

	it('has a word and a tone for each status', () => {
		for (const status of statuses) {
			const look = lookOf(samplePrinter({ status }));
			expect(statusWord(look)).not.toBe('');
			expect(statusTone(look)).toMatch(/^(printing|done|paused|error|idle)$/);
		}
	});
});

describe('isPrinting', () => {
	it('leaves out what is held or away', () => {
		expect(isPrinting(samplePrinter({ status: 'heating' }))).toBe(true);
		expect(isPrinting(samplePrinter({ status: 'paused' }))).toBe(false);
		expect(isPrinting(samplePrinter({ status: 'printing', online: false }))).toBe(false);
		expect(isActive(samplePrinter({ status: 'paused' }))).toBe(true);
		expect(isActive(samplePrinter({ status: 'error' }))).toBe(false);
	});
});

describe('isStale', () => {
	const at = Date.parse('2026-11-23T09:00:00Z');

	it('counts from the last report by the server’s clock, at least 15 s', () => {
		const printer = samplePrinter();
		expect(isStale(printer, at + 15_000)).toBe(false);
		expect(isStale(printer, at + 16_500)).toBe(true);
	});

	it('gives a slow device three of its own intervals', () => {
		const printer = samplePrinter({ interval: 10 });
		expect(isStale(printer, at + 30_000)).toBe(false);
		expect(isStale(printer, at + 32_000)).toBe(true);
	});

	it('believes the server, and calls nothing stale that is offline or never spoke', () => {
		expect(isStale(samplePrinter({ stale: true }), at)).toBe(true);
		expect(isStale(samplePrinter({ stale: true, online: false }), at)).toBe(false);
		expect(isStale(samplePrinter({ reported_at: undefined }), at + 1e9)).toBe(false);
	});
});
