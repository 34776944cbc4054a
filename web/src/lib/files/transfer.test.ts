import { describe, expect, it } from 'vitest';
import { newer, progressOf } from './transfer';
import type { Transfer } from './types';

const at = (updated_at: string, stage: Transfer['stage'] = 'fetching'): Transfer => ({ id: '1', stage, updated_at });

describe('two words on one transfer', () => {
	it('takes the later one', () => {
		expect(newer(undefined, at('1')).updated_at).toBe('1');
		expect(newer(at('1'), at('2')).updated_at).toBe('2');
		expect(newer(at('2'), at('1')).updated_at).toBe('2');
	});

	it('knows that what is over stays so, but for one that was cancelled too late', () => {
		expect(newer(at('1', 'done'), at('2')).stage).toBe('done');
		expect(newer(at('1', 'failed'), at('2', 'done')).stage).toBe('done');
	});
});

it('tells how far a stage is only where that is known', () => {
	expect(progressOf({ stage: 'fetching', bytes: 5, total: 10 })).toBe(0.5);
	expect(progressOf({ stage: 'uploading', bytes: 20, total: 10 })).toBe(1);
	expect(progressOf({ stage: 'fetching', bytes: 5, total: 0 })).toBeUndefined();
	expect(progressOf({ stage: 'waiting', bytes: 0, total: 10 })).toBeUndefined();
});
