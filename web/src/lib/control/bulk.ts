import { toolOf, type Command } from './command';
import type { Outcome } from './outcome';
import { targetsOf, type Preset } from './preset';

/** What can be done with several printers at once. */
export type BulkAction = { do: 'pause' } | { do: 'cancel' } | { do: 'preheat'; preset: Preset };

/** How far it has come with one of them. */
export interface BulkResult {
	uuid: string;
	name: string;
	outcome: Outcome;
}

/** The commands for one printer, in their order; none where the action has nothing to say to it. */
export function commandsFor(action: BulkAction, heaters: string[]): Command[] {
	if (action.do !== 'preheat') return [{ type: action.do }];
	return Object.entries(targetsOf(action.preset, heaters)).flatMap(([heater, temperature]) => {
		const tool = toolOf(heater);
		return tool === undefined ? [] : [{ type: 'set_temperature' as const, tool, temperature }];
	});
}

/** So many printers are told at a time: enough for a hall, gentle to a server. */
export const AT_ONCE = 8;

/** Does work with each; one that fails stops no other. */
export async function forEach<T>(list: readonly T[], work: (one: T) => Promise<void>, atOnce = AT_ONCE): Promise<void> {
	let next = 0;
	const worker = async () => {
		for (let at = next++; at < list.length; at = next++) await work(list[at]!).catch(() => {});
	};
	await Promise.all(Array.from({ length: Math.min(atOnce, list.length) }, worker));
}

/** One command after the other, until one does not work; told hears each step. */
export async function inTurn(
	commands: readonly Command[],
	give: (command: Command, told: (outcome: Outcome) => void) => Promise<Outcome>,
	told: (outcome: Outcome) => void
): Promise<Outcome> {
	let last: Outcome = { state: 'done', why: '' };
	for (const [at, command] of commands.entries()) {
		last = await give(command, told);
		told(at < commands.length - 1 && works(last) ? { state: 'pending', why: '' } : last);
		if (!works(last)) return last;
	}
	return last;
}

export function works(outcome: Outcome): boolean {
	return outcome.state === 'done' || outcome.state === 'seen';
}
