import { describe, expect, it } from 'vitest';
import { fieldOf } from './fieldof';

describe('fieldOf', () => {
	const fields = ['email', 'name', 'password'];

	it('takes the field the server names, whatever it puts before it', () => {
		expect(fieldOf({ code: 'invalid', field: 'name' }, fields)).toBe('name');
		expect(fieldOf({ code: 'invalid', field: 'body.email' }, fields)).toBe('email');
		expect(fieldOf({ code: 'invalid', field: 'items[2].name[7]' }, fields)).toBe('name');
	});

	it('tells the rows of a list apart', () => {
		const rows = ['items[0].name', 'items[1].name'];
		expect(fieldOf({ code: 'invalid', field: 'items[1].name' }, rows)).toBe('items[1].name');
		expect(fieldOf({ code: 'invalid', field: 'body.items[0].name' }, rows)).toBe('items[0].name');
	});

	it('knows the field of a code', () => {
		expect(fieldOf({ code: 'password_weak', field: undefined }, fields)).toBe('password');
	});

	it('leaves what belongs to no field of this form to the form', () => {
		expect(fieldOf({ code: 'slow_down', field: undefined }, fields)).toBeUndefined();
		expect(fieldOf({ code: 'setup_code_wrong', field: 'setup_code' }, fields)).toBeUndefined();
	});
});
