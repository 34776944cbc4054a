import { describe, expect, it } from 'vitest';
import { safetyOf } from './install';

describe('safetyOf', () => {
	const of = (security: 'public' | 'plain' | 'private', zip_url: string) => safetyOf({ security, zip_url });

	it('goes by what the server says', () => {
		expect(of('public', 'https://factor.example.com/plugin/factor.zip')).toBe('public');
		expect(of('private', 'https://pi.local:8443/plugin/factor.zip')).toBe('private');
		expect(of('plain', 'http://192.168.1.20:8080/plugin/factor.zip')).toBe('plain');
	});

	it('knows that nobody is on the way within one computer', () => {
		for (const host of ['localhost', '127.0.0.1', '127.0.1.1', '[::1]']) expect(of('plain', `http://${host}:8080/plugin/factor.zip`)).toBe('here');
		expect(of('plain', 'http://localhost.example.com/plugin/factor.zip')).toBe('plain');
	});
});
