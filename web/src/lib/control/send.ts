import { api, asProblem } from '$lib/api/client';
import type { Command, CommandType } from './command';
import { isOver, outcomeOf, problemOutcome, type CommandOutcome, type Outcome } from './outcome';
import { randomKey } from '$lib/random';

/** The server answers within 16 s, whatever the device does; a network that died answers nothing at all. */
const PATIENCE_MS = 20_000;
/** The server looks for the effect for 10 s; a little more for the way. */
const WATCH_MS = 13_000;
const ASK_EVERY_MS = 1000;

/**
 * Gives a command and tells what becomes of it. Never rejects: every end has words. `told` hears of what is only a step,
 * such as that it was sent to a device that never answers.
 */
export function send(uuid: string, command: Command, told?: (outcome: Outcome) => void): Promise<Outcome> {
	return give(uuid, commandsOf(uuid), command, command.type, told);
}

/** The same with a macro of the printer's workspace. */
export function sendMacro(uuid: string, macro: string, told?: (outcome: Outcome) => void): Promise<Outcome> {
	return give(uuid, `${printerPath(uuid)}/macros/${encodeURIComponent(macro)}/run`, undefined, 'gcode', told);
}

const printerPath = (uuid: string) => `/printers/${encodeURIComponent(uuid)}`;
const commandsOf = (uuid: string) => `${printerPath(uuid)}/commands`;

async function give(uuid: string, path: string, body: unknown, type: CommandType, told: (outcome: Outcome) => void = () => {}): Promise<Outcome> {
	const patience = AbortSignal.timeout(PATIENCE_MS);
	let said: CommandOutcome;
	try {
		// One key a click: should anything on the way send it again, it is still done once.
		said = await api.post<CommandOutcome>(path, body, { headers: { 'Idempotency-Key': randomKey() }, signal: patience });
	} catch (thrown) {
		if (patience.aborted) return outcomeOf({ state: 'unknown', ok: false });
		return problemOutcome(asProblem(thrown), type);
	}
	const end = Date.now() + WATCH_MS;
	while (!isOver(said) && Date.now() < end) {
		told(outcomeOf(said));
		await new Promise((done) => setTimeout(done, ASK_EVERY_MS));
		try {
			said = { ...said, ...(await api.get<CommandOutcome>(`${commandsOf(uuid)}/${said.id}`, { quiet: true, signal: AbortSignal.timeout(PATIENCE_MS) })) };
		} catch {
			// Asked again until it is too late to matter.
		}
	}
	return outcomeOf(isOver(said) ? said : { ...said, state: 'unconfirmed' });
}
