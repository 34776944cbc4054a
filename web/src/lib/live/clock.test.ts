import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const browser = Date.parse('2026-11-23T09:00:00Z');

async function freshClock() {
	vi.resetModules();
	return (await import('./clock.svelte')).serverClock;
}

beforeEach(() => {
	vi.useFakeTimers({ now: browser, toFake: ['Date', 'performance', 'setInterval', 'clearInterval'] });
});

afterEach(() => {
	vi.useRealTimers();
});

describe('serverClock', () => {
	it('believes the server and not a browser that is hours off', async () => {
		const clock = await freshClock();
		clock.heard('Mon, 23 Nov 2026 12:00:00 GMT', 40);
		expect(clock.now() - browser).toBe(3 * 3_600_000 + 520);
		vi.advanceTimersByTime(10_000);
		expect(clock.now() - browser).toBe(3 * 3_600_000 + 520 + 10_000);
	});

	it('keeps the better reading until a worse one contradicts it', async () => {
		const clock = await freshClock();
		clock.heard('Mon, 23 Nov 2026 12:00:00 GMT', 20);
		const known = clock.now();
		clock.heard('Mon, 23 Nov 2026 12:00:00 GMT', 900);
		expect(clock.now()).toBe(known);
		clock.heard('Mon, 23 Nov 2026 13:00:00 GMT', 900);
		expect(clock.now()).toBeGreaterThan(known + 3_500_000);
	});

	it('prefers an answer with milliseconds, and the faster of those', async () => {
		const clock = await freshClock();
		clock.told(browser + 7_200_123, 40);
		expect(clock.now() - browser).toBeCloseTo(7_200_143.5);
		clock.told(browser + 7_200_100, 90);
		clock.heard('Mon, 23 Nov 2026 11:00:00 GMT', 20);
		clock.told(undefined, 1);
		expect(clock.now() - browser).toBeCloseTo(7_200_143.5);
	});

	it('is never before what the server stamped', async () => {
		const clock = await freshClock();
		clock.atLeast('2026-11-23T09:00:07Z');
		expect(clock.now()).toBe(browser + 7000);
		clock.atLeast('2026-11-23T08:00:00Z');
		clock.atLeast(undefined);
		clock.heard('nonsense', 1);
		clock.heard(null, 1);
		expect(clock.now()).toBe(browser + 7000);
	});

	it('ticks while somebody looks', async () => {
		const clock = await freshClock();
		const stop = clock.run();
		vi.advanceTimersByTime(5000);
		expect(clock.second).toBe(browser + 5000);
		expect(clock.calm).toBe(browser + 5000);
		stop();
		vi.advanceTimersByTime(5000);
		expect(clock.second).toBe(browser + 5000);
	});
});
