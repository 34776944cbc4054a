import { describe, expect, it } from 'vitest';
import { follow, isChatter, Typed, type TerminalLine } from './terminal';

const words = (count: number) => `… ${count} lines`;

describe('follow', () => {
	it('numbers lines on and says who wrote them', () => {
		const first = follow([], { lines: ['Send: M105', 'Recv: ok T:20.0 /0.0'] }, words);
		const all = follow(first, { lines: ['Changing monitoring state from "Operational" to "Printing"'] }, words);
		expect(all.map((line) => [line.id, line.from])).toEqual([
			[1, 'sent'],
			[2, 'received'],
			[3, 'other']
		]);
	});

	it('tells what is missing, and before what', () => {
		const all = follow([], { lines: ['Recv: ok'], skipped: 40 }, words);
		expect(all.map((line) => line.text)).toEqual(['… 40 lines', 'Recv: ok']);
	});

	it('keeps the newest only', () => {
		let all: TerminalLine[] = [];
		for (let at = 0; at < 30; at++) all = follow(all, { lines: [`Recv: ${at}`] }, words, 10);
		expect(all).toHaveLength(10);
		expect(all.at(-1)?.text).toBe('Recv: 29');
		expect(all.at(-1)?.id).toBe(30);
	});

	it('survives anything', () => {
		const known = follow([], { lines: ['Recv: ok'] }, words);
		expect(follow(known, {}, words)).toBe(known);
		expect(follow(known, { lines: [7, null] as unknown as string[], skipped: 'x' as unknown as number }, words)).toBe(known);
	});
});

describe('isChatter', () => {
	const line = (text: string): TerminalLine => ({ id: 1, text, from: 'other' });
	it.each(['Send: M105', 'Send: N12 M105*37', 'Recv: ok T:21.3 /0.0 B:21.3 /0.0', 'Recv: T:21.3 /0.0', 'Recv: ok', 'Recv: wait', 'Send: M27'])(
		'%s is',
		(text) => expect(isChatter(line(text))).toBe(true)
	);
	it.each(['Send: N13 G1 X10*12', 'Recv: Error:Heating failed', 'Recv: echo:busy: processing', 'Recv: FIRMWARE_NAME:Marlin', 'Send: M1050'])(
		'%s is not',
		(text) => expect(isChatter(line(text))).toBe(false)
	);
});

describe('Typed', () => {
	it('goes back and forth like a shell', () => {
		const typed = new Typed();
		expect(typed.older('dra')).toBe('dra');
		typed.add('M115');
		typed.add('M114');
		expect(typed.older('dra')).toBe('M114');
		expect(typed.older('M114')).toBe('M115');
		expect(typed.older('M115')).toBe('M115');
		expect(typed.newer('M115')).toBe('M114');
		expect(typed.newer('M114')).toBe('dra');
		expect(typed.newer('dra')).toBe('dra');
	});
});
