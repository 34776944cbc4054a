import { describe, expect, it } from 'vitest';
import { fitParticles } from './particle';

describe('fitParticles', () => {
	it.each([
		['프린터을(를)', '프린터를'],
		['작업실을(를)', '작업실을'],
		['‘작업실’을(를)', '‘작업실’을'],
		['서울(으)로', '서울로'],
		['창고(으)로', '창고로'],
		['거실(으)로', '거실로'],
		['부엌(으)로', '부엌으로'],
		['Voron 2.4이(가)', 'Voron 2.4가'],
		['Ender 3이(가)', 'Ender 3이'],
		['MK1과(와)', 'MK1과'],
		['CR-10은(는)', 'CR-10은'],
		['Prusa MK4은(는)', 'Prusa MK4는'],
		['Resin을(를)', 'Resin을'],
		['Voron과(와) Ender 5이(가)', 'Voron과 Ender 5가']
	])('%s → %s', (given, wanted) => {
		expect(fitParticles(given)).toBe(wanted);
	});

	it('leaves other text alone', () => {
		expect(fitParticles('Remove Voron (2.4)?')).toBe('Remove Voron (2.4)?');
	});
});
