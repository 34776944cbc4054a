import { describe, expect, it } from 'vitest';
import { onSide, turnOf } from './turn';

/** Where a point of the camera's picture is shown; y grows downwards. */
function shown(camera: Parameters<typeof turnOf>[0], x: number, y: number): [number, number] {
	const [a, b, c, d] = turnOf(camera);
	return [a * x + c * y, b * x + d * y];
}

describe('turnOf', () => {
	it('leaves a picture as it is', () => expect(turnOf({})).toEqual([1, 0, 0, 1]));

	it('turns clockwise', () => {
		expect(shown({ rotation: 90 }, 0, -1)).toEqual([1, 0]); // what was on top is on the right
		expect(shown({ rotation: 180 }, 0, -1)).toEqual([-0, 1]);
		expect(shown({ rotation: 270 }, 0, -1)).toEqual([-1, -0]);
	});

	it('mirrors before it turns, as OctoPrint does', () => {
		expect(shown({ flip_h: true }, 1, 1)).toEqual([-1, 1]);
		expect(shown({ flip_v: true }, 1, 1)).toEqual([1, -1]);
		expect(shown({ flip_h: true, rotation: 90 }, 1, 0)).toEqual([0, -1]); // right, left, top
	});

	it('knows what lies on its side', () => {
		expect([undefined, 0, 90, 180, 270].map((rotation) => onSide({ rotation }))).toEqual([false, false, true, false, true]);
	});
});
