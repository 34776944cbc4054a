import { describe, expect, it } from 'vitest';
import { jogKey, Jogger, travelTime, type Move } from './jog';

const plain = { ctrlKey: false, altKey: false, metaKey: false };

describe('jogKey', () => {
	it('knows axes, steps and home', () => {
		expect(jogKey({ ...plain, key: 'ArrowLeft' })).toEqual({ do: 'move', axis: 'x', sign: -1 });
		expect(jogKey({ ...plain, key: 'ArrowUp' })).toEqual({ do: 'move', axis: 'y', sign: 1 });
		expect(jogKey({ ...plain, key: 'PageDown' })).toEqual({ do: 'move', axis: 'z', sign: -1 });
		expect(jogKey({ ...plain, key: '3' })).toEqual({ do: 'step', step: 10 });
		expect(jogKey({ ...plain, key: 'Home' })).toEqual({ do: 'home' });
	});

	it('leaves the rest to the browser', () => {
		expect(jogKey({ ...plain, key: 'Tab' })).toBeUndefined();
		expect(jogKey({ ...plain, key: 'ArrowLeft', altKey: true })).toBeUndefined();
		expect(jogKey({ ...plain, key: '1', ctrlKey: true })).toBeUndefined();
	});
});

describe('travelTime', () => {
	it('is what the speed makes of the way', () => {
		expect(travelTime({ axis: 'x', distance: -10 })).toBe(200);
		expect(travelTime({ axis: 'z', distance: 1 })).toBe(200);
	});
});

describe('Jogger', () => {
	const right: Move = { axis: 'x', distance: 10 };

	function rig() {
		const sent: Move[] = [];
		const answers: ((took: boolean) => void)[] = [];
		let now = 0;
		const jogger = new Jogger(
			(move) => {
				sent.push(move);
				return new Promise((answer) => answers.push(answer));
			},
			() => now
		);
		const answer = async (took = true) => {
			answers.shift()?.(took);
			await new Promise((done) => setTimeout(done));
		};
		return { jogger, sent, answer, at: (ms: number) => (now = ms) };
	}

	it('sends one move at a time, in order', async () => {
		const { jogger, sent, answer } = rig();
		const up: Move = { axis: 'z', distance: 1 };
		jogger.press(right);
		jogger.press(up);
		expect(sent).toEqual([right]);
		await answer();
		expect(sent).toEqual([right, up]);
	});

	it('sends repeats of a held key no faster than the head goes', async () => {
		const { jogger, sent, answer, at } = rig();
		expect(jogger.press(right)).toBe(true);
		expect(jogger.press(right, true)).toBe(false);
		at(20);
		await answer();
		at(150);
		expect(jogger.press(right, true)).toBe(false);
		at(201);
		expect(jogger.press(right, true)).toBe(true);
		expect(sent).toHaveLength(2);
	});

	it('counts the ways of quick presses together', async () => {
		const { jogger, answer, at } = rig();
		jogger.press(right);
		jogger.press(right);
		await answer();
		await answer();
		at(300);
		expect(jogger.press(right, true)).toBe(false);
		at(401);
		expect(jogger.press(right, true)).toBe(true);
	});

	it('drops what waits when the device refuses, and takes new moves after that', async () => {
		const { jogger, sent, answer } = rig();
		jogger.press(right);
		jogger.press(right);
		await answer(false);
		expect(sent).toHaveLength(1);
		jogger.press(right);
		expect(sent).toHaveLength(2);
	});

	it('lets no more than a few wait', () => {
		const { jogger } = rig();
		const taken = Array.from({ length: 10 }, () => jogger.press(right));
		expect(taken.filter(Boolean)).toHaveLength(4);
	});
});
