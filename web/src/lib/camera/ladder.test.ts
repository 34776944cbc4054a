import { describe, expect, it } from 'vitest';
import { Ladder } from './ladder';

describe('Ladder', () => {
	it('begins at the top and walks down as rungs fail', () => {
		const ladder = new Ladder();
		expect(ladder.start(0)).toBe('whep');
		ladder.failed('whep', 0);
		expect(ladder.start(1)).toBe('hls');
		ladder.failed('hls', 1);
		ladder.failed('mjpeg', 2);
		expect(ladder.start(3)).toBe('picture');
	});

	it('skips what the stream cannot have', () => {
		const ladder = new Ladder();
		ladder.allow(['picture', 'mjpeg']);
		expect(ladder.start(0)).toBe('mjpeg');
		expect(ladder.possible).toEqual(['mjpeg', 'picture']);
	});

	it('climbs only after a steady picture and an ended penalty', () => {
		const ladder = new Ladder();
		ladder.failed('whep', 0);
		ladder.live('hls', 1_000);
		expect(ladder.better('hls', 9_000)).toBeUndefined();
		expect(ladder.better('hls', 12_000)).toBeUndefined(); // steady, but WebRTC is still left alone
		expect(ladder.better('hls', 16_000)).toBe('whep');
		expect(ladder.better('whep', 16_000)).toBeUndefined();
	});

	it('leaves a rung alone for longer each time', () => {
		const ladder = new Ladder();
		ladder.failed('whep', 0);
		ladder.failed('whep', 20_000);
		ladder.live('hls', 20_000);
		expect(ladder.better('hls', 50_000)).toBeUndefined();
		expect(ladder.better('hls', 81_000)).toBe('whep');
	});

	it('forgives a rung that has run well', () => {
		const ladder = new Ladder();
		ladder.failed('whep', 0);
		ladder.failed('whep', 1);
		ladder.live('whep', 2);
		ladder.live('whep', 20_000);
		ladder.failed('whep', 21_000);
		ladder.live('hls', 21_000);
		expect(ladder.better('hls', 37_000)).toBe('whep');
	});

	it('says when to try again after everything has failed', () => {
		const ladder = new Ladder();
		expect(ladder.wait(5)).toBe(0);
		for (const rung of ['whep', 'hls', 'mjpeg', 'picture'] as const) ladder.failed(rung, 1_000);
		expect(ladder.wait(2_000)).toBe(16_000);
		expect(ladder.wait(16_000)).toBe(0);
		ladder.failed('whep', 2_000);
		ladder.forget();
		expect(ladder.start(2_001)).toBe('whep');
	});

	it('waits where a stream has no rung at all', () => {
		const ladder = new Ladder();
		ladder.allow([]);
		expect(ladder.start(0)).toBeUndefined();
		expect(ladder.wait(0)).toBeGreaterThan(0);
	});
});
