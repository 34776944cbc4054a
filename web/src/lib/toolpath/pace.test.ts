import { describe, expect, it } from 'vitest';
import { Pace } from './pace';

describe('how much is drawn at a time', () => {
	/** What it comes to on a machine that takes so many ms for each. */
	const learned = (each: number): number => {
		const pace = new Pace();
		for (let i = 0; i < 20; i++) {
			const count = pace.within(40);
			pace.took(count, Math.max(17, 12 + count * each));
		}
		return pace.within(40);
	};

	it('suits the machine', () => {
		expect(learned(0)).toBeGreaterThan(500_000);
		expect(learned(1 / 1000)).toBeGreaterThan(30_000);
		expect(learned(1 / 1000)).toBeLessThan(50_000);
		expect(learned(1)).toBe(Pace.LEAST);
	});

	it('believes in slowness at once', () => {
		const pace = new Pace();
		pace.took(100_000, 1012);
		expect(pace.within(100)).toBe(10_000);
	});
});
