import { describe, expect, it } from 'vitest';
import { isInUse, listFiles, type FileTree } from './tree';

const tree: FileTree = {
	at: '2026-11-23T09:00:00Z',
	local: [
		{ path: '꽃병.gcode', size: 10, date: 100 },
		{ path: 'parts/gear 10.gcode', size: 10, date: 300 },
		{ path: 'notes.txt', size: 1, date: 400 },
		{ path: 'b.gco', size: 1 },
		{ path: 'a.gco', size: 1 }
	],
	sdcard: [{ path: 'ODD~1.GCO' }, { path: 'nameless' }],
	omitted: 0
};

describe('listFiles', () => {
	it('gives what can be printed, newest first', () => {
		expect(listFiles(tree, 'local', '', 'ko').map((file) => file.path)).toEqual(['parts/gear 10.gcode', '꽃병.gcode', 'a.gco', 'b.gco']);
		expect(listFiles(tree, 'local', '', 'ko')[0]).toMatchObject({ name: 'gear 10.gcode', folder: 'parts', origin: 'local' });
	});

	it('finds by any part of the path', () => {
		expect(listFiles(tree, 'local', ' PARTS/', 'ko').map((file) => file.name)).toEqual(['gear 10.gcode']);
		expect(listFiles(tree, 'local', 'nothing', 'ko')).toEqual([]);
	});

	it('takes an SD card’s files as they are', () => {
		expect(listFiles(tree, 'sdcard', '', 'en').map((file) => file.path)).toEqual(['nameless', 'ODD~1.GCO']);
	});
});

describe('isInUse', () => {
	const [file] = listFiles(tree, 'local', 'gear', 'ko');
	it('knows it by place and path', () => {
		expect(isInUse(file!, { origin: 'local', path: 'parts/gear 10.gcode', name: 'gear 10.gcode' })).toBe(true);
		expect(isInUse(file!, { origin: 'sdcard', path: 'parts/gear 10.gcode', name: 'gear 10.gcode' })).toBe(false);
		expect(isInUse(file!, { origin: 'local', path: '', name: 'gear 10.gcode' })).toBe(false);
		expect(isInUse(file!, null)).toBe(false);
	});
});
