import { expect, it } from 'vitest';
import { brought } from './brought';

const transfer = { id: '1', direction: 'to_printer', stage: 'done', target: 'local', path: 'a/cube.gcode', file_id: 'f1' } as const;

it('finds the file of the library that a print came from', () => {
	expect(brought([transfer], { origin: 'local', path: 'a/cube.gcode' })).toBe('f1');
});

it('takes no other for it', () => {
	expect(brought([transfer], { origin: 'local', path: 'cube.gcode' })).toBeUndefined();
	expect(brought([transfer], { origin: 'sdcard', path: 'a/cube.gcode' })).toBeUndefined();
	expect(brought([{ ...transfer, stage: 'failed' }], { origin: 'local', path: 'a/cube.gcode' })).toBeUndefined();
	expect(brought([{ ...transfer, direction: 'to_library' }], { origin: 'local', path: 'a/cube.gcode' })).toBeUndefined();
});
