import { describe, expect, it } from 'vitest';
import { limitsFrom, written } from './limits';

describe('limits in fields', () => {
	it('come back as they were', () => {
		const limits = { max_temperatures: { tool: 280, bed: 100.5 }, terminal: ['M105', '@PAUSE'] };
		expect(written(limits)).toEqual({ tool: '280', bed: '100.5', chamber: '', terminal: 'M105, @PAUSE' });
		expect(limitsFrom(written(limits))).toEqual({ limits, wrong: {} });
	});

	it('are not set where nothing stands', () => {
		expect(limitsFrom(written(undefined))).toEqual({ limits: { max_temperatures: {} }, wrong: {} });
	});

	it('say which is no number, or too much', () => {
		expect(Object.keys(limitsFrom({ tool: 'hot', bed: '201', chamber: '0', terminal: '' }).wrong)).toEqual(['tool', 'bed', 'chamber']);
	});

	it('take a list however it is separated', () => {
		expect(limitsFrom({ tool: '', bed: '', chamber: '', terminal: 'M105,M114  M115' }).limits.terminal).toEqual(['M105', 'M114', 'M115']);
	});
});
