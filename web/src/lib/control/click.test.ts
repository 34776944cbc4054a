import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Problem } from '$lib/api/problem';
import { locale } from '$lib/i18n/locale.svelte';
import { Click } from './click.svelte';
import type { Outcome } from './outcome';

beforeEach(() => {
	locale.current = 'en';
	vi.useFakeTimers();
});

afterEach(() => vi.useRealTimers());

const done: Outcome = { state: 'done', why: '' };

describe('Click', () => {
	it('is pending at once, then done, and says so for a while', async () => {
		const click = new Click();
		let finish = (_: Outcome) => {};
		const ran = click.run('bed', 'Bed to 60 °C', () => new Promise((answer) => (finish = answer)));
		expect(click.pending('bed')).toBe(true);
		expect(click.pending('tool0')).toBe(false);
		finish(done);
		expect(await ran).toBe(true);
		expect([click.state, click.what]).toEqual(['done', 'Bed to 60 °C']);
		vi.advanceTimersByTime(10_000);
		expect(click.state).toBeUndefined();
	});

	it('keeps what went wrong until the next click', async () => {
		const click = new Click();
		expect(await click.run('pause', 'Pause', async () => ({ state: 'refused', why: 'It is not printing' }))).toBe(false);
		vi.advanceTimersByTime(60_000);
		expect([click.state, click.why]).toEqual(['refused', 'It is not printing']);
		await click.run('pause', 'Pause', async () => done);
		expect(click.why).toBe('');
	});

	it('shows the steps of a device that never answers', async () => {
		const click = new Click();
		const seen: (string | undefined)[] = [];
		await click.run('pause', 'Pause', async (told) => {
			told({ state: 'sent', why: 'watching' });
			seen.push(click.state);
			return { state: 'seen', why: '' };
		});
		expect(seen).toEqual(['sent']);
		expect(click.state).toBe('seen');
	});

	it('has words for a call that throws', async () => {
		const click = new Click();
		await click.run('pause', 'Pause', () => Promise.reject(new Problem({ status: 0, code: 'unreachable' })));
		expect(click.state).toBe('unknown');
		expect(click.why).not.toBe('');
	});

	it('shows the newest click only', async () => {
		const click = new Click();
		let finish = (_: Outcome) => {};
		const first = click.run('a', 'A', () => new Promise((answer) => (finish = answer)));
		await click.run('b', 'B', async () => done);
		finish({ state: 'failed', why: 'too late' });
		await first;
		expect([click.key, click.state]).toEqual(['b', 'done']);
	});
});
