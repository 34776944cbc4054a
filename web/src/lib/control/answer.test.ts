import { describe, expect, it } from 'vitest';
import { fieldRange, heaterRange, hindranceOf, type ControlsAnswer } from './answer';

const answer: ControlsAnswer = {
	plugin: 'agent',
	commands: [
		{ type: 'pause', possible: false, reason: 'not_printing', fields: [] },
		{ type: 'home', possible: true, fields: [{ name: 'axes' }] },
		{ type: 'set_fan_speed', possible: true, fields: [{ name: 'speed', max: 100 }] },
		{ type: 'move', possible: true, fields: [{ name: 'x', min: -250, max: 250 }] }
	],
	heaters: [
		{ tool: 0, name: 'tool0', max: 280 },
		{ tool: -1, name: 'bed', max: 110 }
	],
	limits: { max_temperatures: {} },
	system: { allowed: false, items: [] },
	terminal: { visible: true, any: true, allowed: [] }
};

describe('what may be done', () => {
	it('gives the reason why not', () => {
		expect(hindranceOf(answer, 'pause')).toBe('not_printing');
		expect(hindranceOf(answer, 'home')).toBeUndefined();
		expect(hindranceOf(answer, 'connect')).toBe('plugin_cannot');
	});

	it('gives the bounds, a missing end being zero', () => {
		expect(fieldRange(answer, 'set_fan_speed', 'speed')).toEqual({ min: 0, max: 100 });
		expect(fieldRange(answer, 'move', 'x')).toEqual({ min: -250, max: 250 });
		expect(fieldRange(answer, 'home', 'axes')).toBeUndefined();
		expect(heaterRange(answer, 'bed')).toEqual({ min: 0, max: 110 });
		expect(heaterRange(answer, 'chamber')).toBeUndefined();
	});
});
