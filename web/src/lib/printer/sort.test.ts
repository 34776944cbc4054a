import { describe, expect, it } from 'vitest';
import { samplePrinter } from './sample';
import { comparePlaces, matches, searchText, type Place, type SortBy } from './sort';
import type { Look } from './status';

const place = (name: string, look: Look, changes: Partial<Place> = {}): Place => ({
	name,
	look,
	urgent: false,
	finish: undefined,
	...changes
});

function order(places: Place[], by: SortBy): string[] {
	return [...places].sort((a, b) => comparePlaces(a, b, by, 'ko')).map((one) => one.name);
}

const places = [
	place('가', 'idle'),
	place('Printer 10', 'printing', { finish: 5000 }),
	place('Printer 9', 'heating'),
	place('나', 'offline'),
	place('다', 'offline', { urgent: true }),
	place('Alpha', 'printing', { finish: 9000 }),
	place('라', 'paused')
];

describe('comparePlaces', () => {
	it('puts what needs attention first, then what prints, rests and is away', () => {
		const sorted = order(places, 'attention');
		expect(sorted[0]).toBe('다');
		expect(new Set(sorted.slice(1, 5))).toEqual(new Set(['Printer 10', 'Printer 9', 'Alpha', '라']));
		expect(sorted.slice(5)).toEqual(['가', '나']);
	});

	it('keeps a card in its place from heating to printing', () => {
		const before = order(places, 'attention');
		expect(order(places.map((one) => (one.look === 'heating' ? { ...one, look: 'printing' as const } : one)), 'attention')).toEqual(before);
	});

	it('counts numbers in names as numbers', () => {
		const sorted = order(places, 'name');
		expect(sorted.indexOf('Printer 9')).toBeLessThan(sorted.indexOf('Printer 10'));
	});

	it('sorts by finish time, those without one after', () => {
		expect(order(places, 'finish').slice(0, 2)).toEqual(['Printer 10', 'Alpha']);
	});

	it('sorts by state', () => {
		expect(order(places, 'status').at(-1)).toBe('다');
		expect(order(places, 'status')[0]).toBe('Alpha');
	});
});

describe('matches', () => {
	const text = searchText(
		samplePrinter({ name: '보론 Voron', description: '창가', job: { file: { name: 'Gear_박스.gcode', origin: 'local', path: '', size: 1 } } })
	);

	it('finds every word, in any order and case', () => {
		expect(matches(text, '')).toBe(true);
		expect(matches(text, 'VORON gear')).toBe(true);
		expect(matches(text, ' 창가  보론 ')).toBe(true);
		expect(matches(text, 'voron 침대')).toBe(false);
	});

	it('finds Hangul however it was typed', () => {
		expect(matches(text, '보론'.normalize('NFD'))).toBe(true);
	});
});
