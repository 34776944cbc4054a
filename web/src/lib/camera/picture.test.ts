import { expect, it } from 'vitest';
import { fileName } from './picture';

it('names a saved picture so that every system takes it', () => {
	const at = new Date(2026, 10, 26, 18, 42, 5);
	expect(fileName('작업실 / "Voron"', '노즐', at)).toBe('작업실 _ _Voron_ – 노즐 2026-11-26 18.42.05.jpg');
});
