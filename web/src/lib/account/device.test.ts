import { describe, expect, it } from 'vitest';
import { deviceName, isHandheld } from './device';

describe('deviceName', () => {
	it.each([
		['Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36', 'Chrome · Linux', false],
		['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0', 'Edge · Windows', false],
		['Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile/15E148 Safari/604.1', 'Safari · iPhone', true],
		['Mozilla/5.0 (Linux; Android 14; SM-S918N) AppleWebKit/537.36 SamsungBrowser/25.0 Chrome/121.0 Mobile Safari/537.36', 'Samsung Internet · Android', true],
		['curl/8.5.0', 'curl', false]
	])('%s', (agent, name, handheld) => {
		expect(deviceName(agent)).toBe(name);
		expect(isHandheld(agent)).toBe(handheld);
	});

	it('knows nothing of what says nothing', () => {
		expect(deviceName('')).toBeUndefined();
	});
});
