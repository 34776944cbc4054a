import { describe, expect, it } from 'vitest';
import { MultipartReader } from './multipart';

const encode = (text: string) => new TextEncoder().encode(text);

function stream(...bodies: string[]): Uint8Array {
	return encode(bodies.map((b) => `--frame\r\nContent-Type: image/jpeg\r\nContent-Length: ${b.length}\r\nX-Timestamp: 12.5\r\n\r\n${b}\r\n`).join(''));
}

describe('MultipartReader', () => {
	it('gives whole parts however the answer is cut', () => {
		const whole = stream('first', '', 'a picture with --frame\r\n\r\n inside');
		for (const size of [1, 2, 7, 64, whole.length]) {
			const reader = new MultipartReader();
			const found: string[] = [];
			for (let i = 0; i < whole.length; i += size) {
				for (const part of reader.push(whole.subarray(i, i + size))) {
					expect(part.headers.get('x-timestamp')).toBe('12.5');
					found.push(new TextDecoder().decode(part.body));
				}
			}
			expect(found).toEqual(['first', '', 'a picture with --frame\r\n\r\n inside']);
		}
	});

	it('refuses parts without a sensible length', () => {
		for (const bad of ['', 'Content-Length: -1\r\n', 'Content-Length: 99999999999\r\n', 'Content-Length: x\r\n']) {
			expect(() => new MultipartReader().push(encode(`--frame\r\n${bad}\r\n`))).toThrow();
		}
	});

	it('refuses headers that never end', () => {
		const reader = new MultipartReader();
		expect(() => {
			for (let i = 0; i < 100; i++) reader.push(encode('x'.repeat(1000)));
		}).toThrow();
	});
});
