import { describe, expect, it } from 'vitest';
import { isUuid, tidyUuid, uuidFault } from './uuid';

const uuid = '3f2b8c1e-9a4d-4e7b-8c21-5d6f7a8b9c0d';

describe('tidyUuid', () => {
	it.each([
		uuid,
		`  ${uuid}\n`,
		uuid.toUpperCase(),
		`{${uuid}}`,
		`urn:uuid:${uuid}`,
		`"${uuid}"`,
		uuid.replaceAll('-', ''),
		uuid.replaceAll('-', '–'),
		uuid.replaceAll('-', ' '),
		`https://factor.example/setup/${uuid}?from=qr`,
		`http://192.168.0.7:8080/setup/${uuid.toUpperCase()}`
	])('%j', (text) => {
		expect(tidyUuid(text)).toBe(uuid);
	});

	it('leaves what is no UUID as it was', () => {
		expect(tidyUuid(' hello ')).toBe('hello');
		expect(tidyUuid('')).toBe('');
	});
});

describe('isUuid', () => {
	it('takes version 4 in lower case only', () => {
		expect(isUuid(uuid)).toBe(true);
		expect(isUuid(uuid.toUpperCase())).toBe(false);
		expect(isUuid('3f2b8c1e-9a4d-1e7b-8c21-5d6f7a8b9c0d')).toBe(false);
		expect(isUuid('3f2b8c1e-9a4d-4e7b-cc21-5d6f7a8b9c0d')).toBe(false);
	});
});

describe('uuidFault', () => {
	it.each([
		['', 'empty'],
		['3f2b8c1e-9a', 'unfinished'],
		['3f2b8c1e-9x', 'letters'],
		[`${uuid}00`, 'too_long'],
		['3f2b8c1e-9a4d-1e7b-8c21-5d6f7a8b9c0d', 'version'],
		[uuid, undefined]
	])('%j is %s', (text, fault) => {
		expect(uuidFault(text)).toBe(fault);
	});
});
