import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { overwriteGetLocale } from '$lib/paraglide/runtime';
import { stageWords } from './stage';
import type { Transfer } from './types';

const agent = '../internal/agent/transfer';

/** Why the agent says that a file was not carried. */
function codes(): string[] {
	const found = new Set<string>();
	for (const name of readdirSync(agent)) {
		if (name.endsWith('_test.go')) continue;
		for (const said of readFileSync(`${agent}/${name}`, 'utf8').matchAll(/\bfailed\("(\w+)"/g)) found.add(String(said[1]));
	}
	return [...found, 'expired', 'no_clock', 'not_now', 'out_of_range'];
}

describe('stageWords', () => {
	it('has words of its own for every code of the agent', () => {
		overwriteGetLocale(() => 'ko');
		expect(codes().length).toBeGreaterThan(12);
		for (const code of codes()) {
			const words = stageWords({ stage: 'failed', code, message: 'the English of the device' } as Transfer);
			expect(words, code).toMatch(/[가-힣]/);
		}
	});
});
