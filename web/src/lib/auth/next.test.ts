import { describe, expect, it } from 'vitest';
import { nextPath } from './next';

describe('nextPath', () => {
	it('goes back to where one came from', () => {
		expect(nextPath('/setup/3f2b?x=1')).toBe('/setup/3f2b?x=1');
	});

	it.each([null, '', 'https://evil.example', '//evil.example', '/\\evil.example', '/\t/evil.example', 'printers', '/', '/login?next=/a'])(
		'goes to the printers instead of %j',
		(next) => {
			expect(nextPath(next)).toBe('/printers');
		}
	);
});
