import { expect, test } from 'vitest';
import { Edge } from './edge';

const LENGTH = 0.2;

/** Plays parts that come when they are made, late by what late says; s behind the newest part's end when each one came. */
function play(edge: Edge, parts: number, begin: { at: number; end: number }, late: (part: number) => number = () => 0) {
	let { at, end } = begin;
	let rate = 1;
	let now = 0;
	let stalls = 0;
	let jumps = 0;
	const behind: number[] = [];
	for (let part = 1; part <= parts; part++) {
		const came = Math.max(part * LENGTH + late(part), now);
		const played = Math.min(at + (came - now) * rate, end);
		if (played === end && at < end) {
			stalls++;
			edge.stalled();
		}
		[at, now, end] = [played, came, end + LENGTH];
		const on = edge.came({ at, start: 0, end }, LENGTH);
		if (on.to !== undefined) {
			at = on.to;
			jumps++;
		}
		rate = on.rate;
		behind.push(end - at);
	}
	return { behind, stalls, jumps };
}

test('who begins far behind jumps to what is newest, once', () => {
	const { behind, jumps } = play(new Edge(), 50, { at: 0, end: 6 });
	expect(jumps).toBe(1);
	expect(behind.at(-1)).toBeLessThan(0.45);
});

test('who is a little behind plays faster until he is not', () => {
	const { behind, jumps, stalls } = play(new Edge(), 100, { at: 0, end: 0.6 });
	expect(jumps).toBe(0);
	expect(stalls).toBe(0);
	expect(behind.at(-1)).toBeLessThan(0.4);
});

test('parts that are late now and then cost a few stalls, then more is kept in hand', () => {
	const { behind, stalls } = play(new Edge(), 400, { at: 0, end: 0.5 }, (part) => (part % 7 === 0 ? 0.25 : 0));
	expect(stalls).toBeLessThan(40);
	expect(Math.max(...behind.slice(-50))).toBeLessThan(1);
});

test('a gap is jumped over', () => {
	const on = new Edge().came({ at: 3, start: 10, end: 10.2 }, LENGTH);
	expect(on.to).toBe(10);
});

test('what is kept in hand is given back slowly, and has a bound', () => {
	const edge = new Edge();
	const least = edge.hand;
	for (let i = 0; i < 100; i++) edge.stalled();
	expect(edge.hand).toBe(0.5);
	play(edge, 1000, { at: 0, end: 2 });
	expect(edge.hand).toBe(least);
});
