import { describe, expect, it } from 'vitest';
import { commandsFor, forEach, inTurn } from './bulk';
import type { Command } from './command';
import type { Outcome } from './outcome';

const pla = { id: 'p', name: 'PLA', tool: 215, bed: 60 };

describe('commandsFor', () => {
	it('heats what the printer has and the preset names', () => {
		expect(commandsFor({ do: 'preheat', preset: pla }, ['tool0', 'tool1', 'chamber', 'W'])).toEqual([
			{ type: 'set_temperature', tool: 0, temperature: 215 },
			{ type: 'set_temperature', tool: 1, temperature: 215 }
		]);
		expect(commandsFor({ do: 'preheat', preset: { id: 'x', name: 'x', bed: 0 } }, ['tool0', 'bed'])).toEqual([
			{ type: 'set_temperature', tool: -1, temperature: 0 }
		]);
		expect(commandsFor({ do: 'cancel' }, [])).toEqual([{ type: 'cancel' }]);
	});
});

describe('forEach', () => {
	it('does each once, a few at a time, whatever fails', async () => {
		let running = 0;
		let most = 0;
		const done: number[] = [];
		await forEach(
			Array.from({ length: 20 }, (_, at) => at),
			async (at) => {
				most = Math.max(most, ++running);
				await new Promise((go) => setTimeout(go));
				running--;
				done.push(at);
				if (at % 3 === 0) throw new Error('no');
			},
			4
		);
		expect(most).toBe(4);
		expect(done.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, at) => at));
	});
});

describe('inTurn', () => {
	const commands: Command[] = [
		{ type: 'set_temperature', tool: 0, temperature: 215 },
		{ type: 'set_temperature', tool: -1, temperature: 60 }
	];

	it('goes on only after what worked', async () => {
		const given: Command[] = [];
		const steps: Outcome[] = [];
		const last = await inTurn(
			commands,
			async (command) => {
				given.push(command);
				return { state: 'done', why: '' };
			},
			(step) => steps.push(step)
		);
		expect(given).toEqual(commands);
		expect(steps.map((step) => step.state)).toEqual(['pending', 'done']);
		expect(last.state).toBe('done');
	});

	it('stops at what did not work and says so', async () => {
		const given: Command[] = [];
		const last = await inTurn(
			commands,
			async (command) => {
				given.push(command);
				return { state: 'refused', why: 'too hot' };
			},
			() => {}
		);
		expect(given).toHaveLength(1);
		expect(last.why).toBe('too hot');
	});
});
