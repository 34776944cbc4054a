import { beforeEach, describe, expect, it } from 'vitest';
import type { Language, PrinterEvent } from '$lib/api/types';
import { locale } from '$lib/i18n/locale.svelte';
import { attentionSentence, attentionShort, canBeAcknowledged } from './attention';
import { eventText, eventTone, mergeEvents } from './events';
import { jobFacts } from './facts';
import { heaterName, heatersOf } from './heaters';
import { finishLine, statusLine } from './line';
import { samplePrinter } from './sample';

const now = Date.parse('2026-11-23T08:30:00Z');

function speak(language: Language) {
	locale.current = language;
	locale.setZone('Asia/Seoul');
}

beforeEach(() => speak('ko'));

describe('statusLine', () => {
	it('says the clock time first, then what is left', () => {
		expect(finishLine(Date.parse('2026-11-23T09:42:00Z'), now)).toBe('18:42 완료 예정 · 1시간 12분 남음');
		speak('en');
		expect(finishLine(Date.parse('2026-11-23T09:42:00Z'), now)).toBe('Done at 18:42 · 1 h 12 min left');
		expect(finishLine(now + 30_000, now)).toBe('Almost done');
	});

	it('says since when an offline printer has been silent', () => {
		const away = samplePrinter({ online: false, status: 'offline', last_seen: '2026-11-23T05:30:00Z' });
		expect(statusLine(away, undefined, now)).toBe('14:30부터 응답이 없습니다 · 3시간 전');
		expect(statusLine({ ...away, last_seen: undefined }, undefined, now)).toBe('아직 한 번도 연결되지 않았습니다');
	});

	it('says how the last print of a resting printer ended', () => {
		const last_job = { id: 'j', file_name: 'a.gcode', result: 'failed' as const, started_at: '2026-11-23T05:00:00Z', ended_at: '2026-11-23T06:00:00Z', print_time: 3600 };
		expect(statusLine(samplePrinter({ last_job }), undefined, now)).toBe('마지막 출력: 15:00 · 실패');
		expect(statusLine(samplePrinter(), undefined, now)).toBe('출력할 수 있습니다');
	});

	it('does not send people to the power switch when OctoPrint is the one that is silent', () => {
		const mute = samplePrinter({ status: 'offline', attention: ['octoprint_unreachable'] });
		expect(statusLine(mute, undefined, now)).toBe('OctoPrint를 기다리는 중');
	});
});

describe('attention', () => {
	it('tells what happened and when', () => {
		const failed = samplePrinter({
			attention: ['print_failed'],
			last_job: { id: 'j', file_name: '드론.gcode', result: 'failed', started_at: '2026-11-23T05:00:00Z', ended_at: '2026-11-20T06:00:00Z', print_time: 1 }
		});
		expect(attentionSentence('print_failed', failed)).toBe('11월 20일 15:00에 ‘드론.gcode’ 출력이 실패했습니다.');
		expect(attentionSentence('error', samplePrinter({ state: { text: 'Error: MAXTEMP', flags: {} } }))).toContain(': MAXTEMP');
		expect(attentionSentence('error', samplePrinter({ state: { text: 'Error', flags: {} } }))).not.toContain(':');
	});

	it('shows a code that it does not know rather than nothing', () => {
		expect(attentionSentence('smoke', samplePrinter())).toContain('smoke');
		expect(attentionShort('smoke')).not.toBe('');
		expect(canBeAcknowledged('print_failed')).toBe(true);
		expect(canBeAcknowledged('error')).toBe(false);
	});
});

describe('eventText', () => {
	it.each<[Partial<PrinterEvent>, string]>([
		[{ type: 'PrintStarted', data: { name: '꽃병.gcode' } }, '출력 시작: 꽃병.gcode'],
		[{ type: 'PrintStarted' }, '출력 시작'],
		[{ type: 'PrintDone', data: { path: 'a/b/꽃병.gcode', time: 8160 } }, '출력 완료: 꽃병.gcode (2시간 16분)'],
		[{ type: 'Error', data: { error: 'MAXTEMP' } }, '프린터가 오류를 알림: MAXTEMP'],
		[{ type: 'gap', data: { count: 12 } }, '기기가 떨어져 있는 동안 기록 12건을 잃음'],
		[{ type: 'offline', data: { reason: 'timeout' } }, '기기가 응답하지 않음'],
		[{ type: 'offline' }, 'FACTOR 연결 끊김'],
		[{ type: 'plugin_spaghetti_detected', data: { x: 1 } }, 'plugin_spaghetti_detected']
	])('%j', (event, text) => {
		expect(eventText(event as PrinterEvent)).toBe(text);
		expect(eventTone(event as PrinterEvent)).toBeTruthy();
	});

	it('survives data of any kind', () => {
		expect(eventText({ type: 'PrintDone', data: { name: 7, time: 'x' } as Record<string, unknown> })).toBe('출력 완료');
		expect(eventText({ type: 'gap', data: { count: null } })).toContain('0');
	});

	it('counts in English', () => {
		speak('en');
		expect(eventText({ type: 'gap', data: { count: 1 } })).toBe('1 event was lost while the device was away');
		expect(eventText({ type: 'gap', data: { count: 3 } })).toBe('3 events were lost while the device was away');
	});
});

describe('mergeEvents', () => {
	const event = (id: string, at: string, seq?: number): PrinterEvent => ({ id, at, received_at: at, type: 'x', epoch: 'e', seq });

	it('puts the newest first and keeps each once', () => {
		const merged = mergeEvents(
			[event('1', '2026-11-23T09:00:00Z', 1)],
			[event('3', '2026-11-23T09:00:05Z', 3), event('2', '2026-11-23T09:00:05Z', 2), event('1', '2026-11-23T09:00:00Z', 1)]
		);
		expect(merged.map((one) => one.id)).toEqual(['3', '2', '1']);
	});

	it('stays bounded', () => {
		const many = Array.from({ length: 50 }, (_, i) => event(String(i), new Date(i * 1000).toISOString(), i));
		expect(mergeEvents(many, [], 10).map((one) => one.id)[0]).toBe('49');
		expect(mergeEvents(many, [], 10)).toHaveLength(10);
	});
});

describe('heaters', () => {
	it('orders and names them', () => {
		const heaters = heatersOf({
			bed: { actual: 60, target: 60 },
			tool10: { actual: 1, target: 0 },
			tool1: { actual: 1, target: 0 },
			tool0: { actual: 1, target: 0 },
			chamber: { actual: 30, target: null },
			W: { actual: 20, target: null }
		});
		expect(heaters.map((heater) => heater.key)).toEqual(['tool0', 'tool1', 'tool10', 'bed', 'chamber', 'W']);
		expect(heaterName('tool0', 1)).toBe('노즐');
		expect(heaterName('tool1', 2)).toBe('노즐 2');
		expect(heaterName('W', 1)).toBe('W');
		expect(heatersOf(undefined)).toEqual([]);
	});
});

describe('jobFacts', () => {
	it('shows only what is known', () => {
		expect(jobFacts(samplePrinter(), true)).toEqual([]);
		const facts = jobFacts(
			samplePrinter({
				progress: { completion: 1, print_time: 11_040, time_left: null },
				current_z: 43.2,
				overrides: { feedrate: 120 },
				job: { file: null, filament: { tool0: { length: 38_400, volume: 92.4 } } }
			}),
			true
		);
		expect(facts.map((fact) => fact.value)).toEqual(['3시간 4분', '43.2 mm', '38.4 m · 92 cm³', '120 %']);
	});
});
