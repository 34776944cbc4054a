import type { Problem } from '$lib/api/problem';
import { sentence } from '$lib/api/problem';
import { m } from '$lib/paraglide/messages';
import type { Tone } from '$lib/printer/status';
import type { CommandType } from './command';
import { reasonWords } from './reason';

/**
 * What has become of a command. `sent`: the device never answers (the published plugin), the server watches whether it
 * shows; `seen` and `unconfirmed` are how that ends.
 */
export type State = 'pending' | 'done' | 'sent' | 'seen' | 'unconfirmed' | 'failed' | 'refused' | 'expired' | 'unknown';

const looks: Record<State, { tone: Tone; word: () => string }> = {
	pending: { tone: 'idle', word: () => m.control_state_pending() },
	done: { tone: 'done', word: () => m.control_state_done() },
	sent: { tone: 'idle', word: () => m.control_state_sent() },
	seen: { tone: 'done', word: () => m.control_state_seen() },
	unconfirmed: { tone: 'paused', word: () => m.control_state_unconfirmed() },
	failed: { tone: 'error', word: () => m.control_state_failed() },
	refused: { tone: 'error', word: () => m.control_state_refused() },
	expired: { tone: 'paused', word: () => m.control_state_expired() },
	unknown: { tone: 'paused', word: () => m.control_state_unknown() }
};

export const stateTone = (state: State): Tone => looks[state].tone;
export const stateWord = (state: State): string => looks[state].word();

/** The server's word on a command. */
export interface CommandOutcome {
	id: string;
	type: string;
	state: 'waiting' | 'sent' | 'answered' | 'effect_seen' | 'unconfirmed' | 'unknown';
	ok: boolean;
	/** What the device answered. */
	code?: string;
	/** The device's own words. */
	message?: string;
	at: string;
}

export interface Outcome {
	state: State;
	/** In words, why it is not simply done. */
	why: string;
}

/** The device's codes. */
const byCode: Record<string, { state: State; why: (text: string) => string }> = {
	not_now: { state: 'refused', why: () => m.control_fail_not_now() },
	starting: { state: 'refused', why: () => m.control_fail_starting() },
	out_of_range: { state: 'refused', why: () => m.control_fail_out_of_range() },
	expired: { state: 'expired', why: () => m.control_fail_expired() },
	no_clock: { state: 'refused', why: () => m.control_fail_no_clock() },
	outcome_unknown: { state: 'unknown', why: () => m.control_fail_outcome_unknown() },
	failed: { state: 'failed', why: (text) => (text ? m.control_fail_failed_text({ text }) : m.control_fail_failed()) }
};

/** A command's outcome for people. */
export function outcomeOf(said: Pick<CommandOutcome, 'state' | 'ok' | 'code' | 'message'>): Outcome {
	switch (said.state) {
		case 'waiting':
			return { state: 'pending', why: '' };
		case 'sent':
			return { state: 'sent', why: m.control_state_sent_wait() };
		case 'effect_seen':
			return { state: 'seen', why: '' };
		case 'unconfirmed':
			return { state: 'unconfirmed', why: said.code === 'starting' ? m.control_state_unconfirmed_starting() : m.control_state_unconfirmed_text() };
		case 'unknown':
			return { state: 'unknown', why: m.control_fail_timeout() };
	}
	if (said.ok) return { state: 'done', why: '' };
	const text = said.message?.trim() ?? '';
	const known = byCode[said.code ?? ''];
	return known ? { state: known.state, why: known.why(text) } : { state: 'failed', why: text || m.control_fail_failed() };
}

/** Nothing more is to come. */
export function isOver(said: Pick<CommandOutcome, 'state'>): boolean {
	return said.state !== 'waiting' && said.state !== 'sent';
}

/** What is wrong with a line of G-code, by the server's reason. */
const lineFaults: Record<string, () => string> = {
	line_not_allowed: m.control_line_not_allowed,
	too_hot: m.control_line_too_hot,
	not_ascii: m.control_line_not_ascii,
	no_command: m.control_line_no_command,
	too_long: m.control_line_too_long
};

/** What the server said instead of doing it, or that it said nothing. */
export function problemOutcome(problem: Problem, type?: CommandType): Outcome {
	if (problem.code === 'unreachable') return { state: 'unknown', why: m.control_fail_lost() };
	if (problem.code === 'device_timeout') return { state: 'unknown', why: m.control_fail_timeout() };
	const reason = problem.body.reason;
	if (problem.code === 'not_now' && reason && type) return { state: 'refused', why: reasonWords(reason, type) };
	const why = lineFaults[reason ?? '']?.() ?? sentence(problem);
	const line = problem.field?.match(/^lines\[(\d+)\]$/)?.[1];
	return { state: 'refused', why: line === undefined ? why : m.control_line_wrong({ line: Number(line) + 1, why }) };
}
