import { expect, it } from 'vitest';
import { Speed } from './speed';

it('tells a speed only once it can, and follows a change', () => {
	const speed = new Speed();
	speed.add(0, 0);
	expect(speed.value).toBeUndefined();
	for (let s = 1; s <= 20; s++) speed.add(s * 1000, s * 1000);
	expect(speed.value).toBeCloseTo(1000);
	for (let s = 21; s <= 40; s++) speed.add(20_000 + (s - 20) * 4000, s * 1000);
	expect(speed.value).toBeCloseTo(4000);
});

it('begins anew when it goes back', () => {
	const speed = new Speed();
	speed.add(5000, 0);
	speed.add(9000, 1000);
	speed.add(100, 2000);
	expect(speed.value).toBeUndefined();
});
