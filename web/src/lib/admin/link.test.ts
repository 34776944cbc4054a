import { describe, expect, it } from 'vitest';
import { invitationLink } from './link';

describe('invitationLink', () => {
	it('keeps the server’s public address', () => {
		expect(invitationLink({ url: 'https://factor.example/login?invitation=a' }, 'http://10.0.0.2:8080')).toBe('https://factor.example/login?invitation=a');
	});

	it('completes a path, or a token alone, with this page’s address', () => {
		expect(invitationLink({ url: '/login?invitation=a' }, 'http://10.0.0.2:8080')).toBe('http://10.0.0.2:8080/login?invitation=a');
		expect(invitationLink({ token: 'a+b' }, 'http://10.0.0.2:8080')).toBe('http://10.0.0.2:8080/login?invitation=a%2Bb');
	});
});
