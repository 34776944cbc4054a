import { describe, expect, it } from 'vitest';
import { join, libraryLink, nameOf, parentOf, trail, within } from './folders';

const folder = (path: string) => ({ path, files: 0, bytes: 0 });

describe('folders', () => {
	it('takes paths apart', () => {
		expect(nameOf('a/b/c')).toBe('c');
		expect(nameOf('부품')).toBe('부품');
		expect(parentOf('a/b/c')).toBe('a/b');
		expect(parentOf('a')).toBe('');
		expect(trail('a/b')).toEqual([
			{ name: 'a', path: 'a' },
			{ name: 'b', path: 'a/b' }
		]);
		expect(trail('')).toEqual([]);
		expect(join('', 'x')).toBe('x');
		expect(join('a', 'x')).toBe('a/x');
	});

	it('leads to a library', () => {
		expect(libraryLink('')).toBe('/files');
		expect(libraryLink('부품/a&b')).toBe(`/files?folder=${encodeURIComponent('부품/a&b')}`);
		expect(libraryLink('', 'w1', ['u1', 'u2'])).toBe('/files?workspace=w1&for=u1%2Cu2');
	});

	it('lists what is directly within, numbers by their value', () => {
		const all = ['v10', 'v9', 'v9/old', 'a'].map(folder);
		expect(within(all, '', 'en').map((f) => f.path)).toEqual(['a', 'v9', 'v10']);
		expect(within(all, 'v9', 'en').map((f) => f.path)).toEqual(['v9/old']);
	});
});
