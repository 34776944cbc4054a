import { beforeEach, describe, expect, it } from 'vitest';
import { Problem, sentence } from '$lib/api/problem';
import type { Language } from '$lib/api/types';
import { locale } from '$lib/i18n/locale.svelte';
import { m } from '$lib/paraglide/messages';
import { heats, type SomeCommand } from './command';
import { describe as inWords } from './describe';
import { givenOutcome, withNews, type GivenCommand } from './history';
import { lineWords } from './macro';
import { isOver, outcomeOf, problemOutcome } from './outcome';
import { targetsOf } from './preset';
import { reasonWords } from './reason';

function speak(language: Language) {
	locale.current = language;
}

beforeEach(() => speak('ko'));

describe('what a command does', () => {
	it.each<[SomeCommand, string, string]>([
		[{ type: 'set_temperature', tool: 0, temperature: 215 }, '노즐 목표 215 °C', 'Nozzle to 215 °C'],
		[{ type: 'set_temperature', tool: -1, temperature: 0 }, '베드 끄기', 'Bed off'],
		[{ type: 'move', x: -10, z: 0.1 }, 'X -10 mm, Z +0.1 mm 이동', 'Move X -10 mm, Z +0.1 mm'],
		[{ type: 'set_feed_rate', factor: 120 }, '출력 속도 120 %', 'Print speed 120 %'],
		[{ type: 'extrude', amount: -5 }, '필라멘트 5 mm 빼기', 'Retract 5 mm'],
		[{ type: 'print', origin: 'local', path: 'parts/꽃병.gcode' }, '출력 시작: 꽃병.gcode', 'Print 꽃병.gcode'],
		[{ type: 'gcode', line: 'M115' }, 'G-code M115', 'G-code M115'],
		[{ type: 'gcode', lines: ['G28', 'G29'], macro: '평탄화' }, '매크로 평탄화', 'Macro 평탄화'],
		[{ type: 'gcode', lines: ['G28', 'G29'] }, 'G-code G28 / G29', 'G-code G28 / G29'],
		[{ type: 'something_new' }, 'something_new', 'something_new']
	])('%j', (command, ko, en) => {
		expect(inWords(command)).toBe(ko);
		speak('en');
		expect(inWords(command)).toBe(en);
	});

	it('survives whatever the history holds', () => {
		for (const type of ['set_temperature', 'move', 'extrude', 'print', 'gcode', 'fetch_file', 'home', 'select_tool'])
			expect(inWords({ type, x: 'far', amount: null, fetch: 7, path: [], lines: [3] } as SomeCommand)).toBeTruthy();
	});
});

describe('why not', () => {
	it('says it for the command where that reads better', () => {
		expect(reasonWords('printing', 'move')).toBe('출력 중에는 이동할 수 없습니다');
		expect(reasonWords('printing', 'print')).toBe('이미 출력 중입니다');
		expect(reasonWords('device_offline', 'move')).toBe('프린터가 FACTOR에 연결되어 있지 않습니다');
	});

	it('names a code that it does not know', () => {
		expect(reasonWords('filament_wet', 'print')).toContain('filament_wet');
	});
});

describe('what became of it', () => {
	it('names the line of a macro that was refused', () => {
		const refused = (code: string, reason?: string) => problemOutcome(new Problem({ status: 422, code, reason, field: 'lines[2]' }), 'gcode').why;
		expect(refused('not_allowed', 'line_not_allowed')).toBe('3번째 줄: 소유자가 운영자에게 이 줄을 허용하지 않았습니다.');
		expect(refused('out_of_range')).toMatch(/^3번째 줄: ./);
		expect(refused('out_of_range', 'too_hot')).toBe('3번째 줄: 이 프린터에 허용된 최고 온도를 넘습니다.');
		speak('en');
		expect(refused('not_allowed', 'line_not_allowed')).toBe('Line 3: The owner has not allowed operators to send this line.');
		expect(problemOutcome(new Problem({ status: 403, code: 'not_allowed', reason: 'line_not_allowed', field: 'line' }), 'gcode').why).toMatch(/^The owner/);
	});

	it('tells what is wrong with a line of the terminal', () => {
		const refused = (code: string, reason: string) => problemOutcome(new Problem({ status: 422, code, reason, field: 'line' }), 'gcode').why;
		expect(refused('invalid', 'not_ascii')).toBe('영문자, 숫자, 기호만 보낼 수 있습니다.');
		speak('en');
		expect(refused('out_of_range', 'too_hot')).toBe('It asks for more than the highest temperature allowed for this printer.');
		expect(refused('invalid', 'no_command')).toBe('There is no command in it.');
		expect(refused('invalid', 'too_long')).toMatch(/250/);
		expect(refused('invalid', 'else')).toBe(sentence(new Problem({ status: 422, code: 'invalid', field: 'line' })));
	});

	it('names the line of a macro as it was typed', () => {
		const wrong = (reason: string, field = 'items[1].lines[1]') => lineWords(new Problem({ status: 422, code: 'invalid', reason, field }), 'G28\n\n M117 안녕 \nM105');
		expect(wrong('not_ascii')).toBe('3번째 줄: 영문자, 숫자, 기호만 보낼 수 있습니다: “M117 안녕”');
		speak('en');
		expect(wrong('not_ascii')).toBe('Line 3: Only English letters, digits and signs can be sent: “M117 안녕”');
		for (const reason of ['too_long', 'control_character', 'two_lines']) expect(wrong(reason)).toMatch(/^Line 3: ./);
		expect(wrong('else')).toBeUndefined();
		expect(wrong('too_long', 'items[1].name')).toBeUndefined();
		expect(wrong('too_long', 'items[1].lines[9]')).toBeUndefined();
	});

	it('tells a no from not knowing', () => {
		expect(outcomeOf({ state: 'answered', ok: true, code: 'done' }).state).toBe('done');
		expect(outcomeOf({ state: 'answered', ok: false, code: 'not_now' }).state).toBe('refused');
		expect(outcomeOf({ state: 'answered', ok: false, code: 'starting' })).toEqual({ state: 'refused', why: m.control_fail_starting() });
		expect(outcomeOf({ state: 'answered', ok: false, code: 'outcome_unknown' }).state).toBe('unknown');
		expect(outcomeOf({ state: 'unknown', ok: false }).state).toBe('unknown');
		expect(outcomeOf({ state: 'answered', ok: false, code: 'failed', message: '409: printer is busy' }).why).toContain('409: printer is busy');
		expect(outcomeOf({ state: 'answered', ok: false, code: 'brand_new' }).state).toBe('failed');
	});

	it('knows the ways of a device that never answers', () => {
		expect(['sent', 'effect_seen', 'unconfirmed'].map((state) => outcomeOf({ state: state as 'sent', ok: false }).state)).toEqual(['sent', 'seen', 'unconfirmed']);
		expect(outcomeOf({ state: 'unconfirmed', ok: false, code: 'starting' }).why).toBe(m.control_state_unconfirmed_starting());
		expect(isOver({ state: 'sent' })).toBe(false);
		expect(isOver({ state: 'unconfirmed' })).toBe(true);
	});

	it('gives the reason of a refusal', () => {
		const refused = new Problem({ status: 409, code: 'not_now', reason: 'printing' });
		expect(problemOutcome(refused, 'move')).toEqual({ state: 'refused', why: '출력 중에는 이동할 수 없습니다' });
		expect(problemOutcome(new Problem({ status: 504, code: 'device_timeout' })).state).toBe('unknown');
	});
});

describe('the history', () => {
	const item = (changes: Partial<GivenCommand>): GivenCommand => ({
		id: '1',
		at: '2026-11-23T09:00:00Z',
		type: 'pause',
		actor: 'Jimin',
		result: 'ok',
		...changes
	});

	it('shows refusals, which have no state', () => {
		expect(givenOutcome(item({ state: 'answered', result: 'ok' })).state).toBe('done');
		expect(givenOutcome(item({ result: 'refused', code: 'not_allowed' })).state).toBe('refused');
		expect(givenOutcome(item({ result: 'pending' })).state).toBe('pending');
	});

	it('takes news of what it has, and asks again for what it has not', () => {
		const known = [item({ state: 'sent', result: 'pending' })];
		const merged = withNews(known, { id: '1', state: 'effect_seen', ok: true })!;
		expect(givenOutcome(merged[0]!).state).toBe('seen');
		expect(withNews(known, { id: '2', state: 'answered', ok: true })).toBeUndefined();
	});
});

describe('heating', () => {
	it('asks when it begins, not for a correction or to cool', () => {
		expect(heats(0, 200)).toBe(true);
		expect(heats(null, 60)).toBe(true);
		expect(heats(200, 210)).toBe(false);
		expect(heats(200, 0)).toBe(false);
	});

	it('leaves alone what a preset does not name', () => {
		expect(targetsOf({ id: '', name: '', tool: 215, bed: null }, ['tool0', 'tool1', 'bed'])).toEqual({ tool0: 215, tool1: 215 });
	});
});
