import { describe, expect, it } from 'vitest';
import { MAX_SCALE, pan, WHOLE, zoomAt } from './zoom';

describe('zoom', () => {
	it('keeps the point under the pointer', () => {
		const zoomed = zoomAt(WHOLE, 2, 0.25, -0.1);
		expect(zoomed.scale).toBe(2);
		// A point p of the picture is at x + p·scale: before at 0.25, afterwards too.
		expect(zoomed.x + 0.25 * 2).toBeCloseTo(0.25);
		expect(zoomed.y + -0.1 * 2).toBeCloseTo(-0.1);
	});

	it('never shows what is beside the picture', () => {
		expect(pan(WHOLE, 1, 1)).toEqual(WHOLE);
		expect(pan({ scale: 3, x: 0, y: 0 }, 5, -5)).toEqual({ scale: 3, x: 1, y: -1 });
		expect(zoomAt({ scale: 4, x: 1.5, y: 1.5 }, 0.01, 0, 0)).toEqual(WHOLE);
	});

	it('has an end', () => {
		expect(zoomAt(WHOLE, 1000, 0, 0).scale).toBe(MAX_SCALE);
	});
});
