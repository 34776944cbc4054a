import { Problem, sentence } from '$lib/api/problem';
import type { SomeCommand } from './command';
import { outcomeOf, type CommandOutcome, type Outcome } from './outcome';

/** A command that was given or refused, as the printer's history has it. */
export interface GivenCommand extends Partial<CommandOutcome> {
	id: string;
	at: string;
	type: string;
	actor: string;
	actor_id?: string;
	/** As it was given; missing where the server had no room for it. */
	command?: SomeCommand;
	result: 'ok' | 'refused' | 'failed' | 'pending' | 'unknown';
}

/** What became of it. Only what was sent has a state; what the server refused has a code. */
export function givenOutcome(item: GivenCommand): Outcome {
	if (item.state) return outcomeOf({ state: item.state, ok: item.ok ?? item.result === 'ok', code: item.code, message: item.message });
	switch (item.result) {
		case 'ok':
			return { state: 'done', why: '' };
		case 'pending':
			return { state: 'pending', why: '' };
		case 'unknown':
			return outcomeOf({ state: 'unknown', ok: false });
		case 'failed':
			return { state: 'failed', why: item.message ?? '' };
	}
	return { state: 'refused', why: item.code ? sentence(new Problem({ status: 0, code: item.code })) : '' };
}

/** News of a command that the list has; undefined where it has it not, so that the list must be asked again. */
export function withNews(known: GivenCommand[], news: Partial<CommandOutcome> & { id: string }): GivenCommand[] | undefined {
	const at = known.findIndex((item) => item.id === news.id);
	if (at < 0) return undefined;
	return known.map((item, place) =>
		place === at ? { ...item, state: news.state, ok: news.ok, code: news.code, message: news.message } : item
	);
}
