import { describe, expect, it } from 'vitest';
import { newer, progressOf } from './transfer';
import type { Transfer } from './types';

const at = (updated_at: string, stage: Transfer['stage'] = 'fetching'): Transfer => ({ id: '1', stage, updated_at });

// As Go writes them: a fraction without its last zeros.
const [early, late] = ['2026-11-26T21:00:00.51Z', '2026-11-26T21:00:00.515Z'];

describe('two words on one transfer', () => {
	it('takes the later one', () => {
		const [first, second] = [at(early), at(late)];
		expect(newer(undefined, first)).toBe(first);
		expect(newer(first, second)).toBe(second);
		expect(newer(second, first)).toBe(second);
	});

	it('knows that what is over stays so, but for one that was cancelled too late', () => {
		expect(newer(at(early, 'done'), at(late)).stage).toBe('done');
		expect(newer(at(early, 'failed'), at(late, 'done')).stage).toBe('done');
		expect(newer(at(late), at(early, 'done')).stage).toBe('done');
	});
});

it('tells how far a stage is only where that is known', () => {
	expect(progressOf({ stage: 'fetching', bytes: 5, total: 10 })).toBe(0.5);
	expect(progressOf({ stage: 'uploading', bytes: 20, total: 10 })).toBe(1);
	expect(progressOf({ stage: 'fetching', bytes: 5, total: 0 })).toBeUndefined();
	expect(progressOf({ stage: 'waiting', bytes: 0, total: 10 })).toBeUndefined();
});
