import type { CommandType } from './command';
import type { Range } from './figure';

/** One of OctoPrint's own system commands. */
export interface SystemAction {
	/** source/action, as OctoPrint names it. */
	action: string;
	name?: string;
}

interface FieldRule {
	name: string;
	min?: number;
	max?: number;
}

interface Control {
	type: string;
	possible: boolean;
	/** Why not now. */
	reason?: string;
	fields: FieldRule[];
}

/** What a printer's owner allows; what is not set has the server's default. */
export interface Limits {
	max_temperatures: { tool?: number; bed?: number; chamber?: number };
	/** What operators may send in the terminal. */
	terminal?: string[];
}

/** GET /printers/{uuid}/controls: what the asker may do with the printer now, and within which bounds. */
export interface ControlsAnswer {
	/** What runs beside the printer. `published` never answers. */
	plugin: 'agent' | 'old_agent' | 'published' | 'unknown';
	commands: Control[];
	heaters: { tool: number; name: string; max: number }[];
	limits: Limits;
	system: { allowed: boolean; items: SystemAction[] };
	terminal: { visible: boolean; any: boolean; allowed: string[] };
}

/** Why a command cannot be given now: the server's code; undefined when it can. */
export function hindranceOf(answer: ControlsAnswer, type: CommandType): string | undefined {
	const control = answer.commands.find((one) => one.type === type);
	// A command that the server does not know is one that it cannot have done.
	if (!control) return 'plugin_cannot';
	return control.possible ? undefined : control.reason || 'state_unknown';
}

/** Within what a command's number has to be. What is zero is left out of the answer. */
export function fieldRange(answer: ControlsAnswer, type: CommandType, field: string): Range | undefined {
	const rule = answer.commands.find((one) => one.type === type)?.fields.find((one) => one.name === field);
	return rule?.max === undefined ? undefined : { min: rule.min ?? 0, max: rule.max };
}

/** The temperatures that may be asked of a heater. */
export function heaterRange(answer: ControlsAnswer, heater: string): Range | undefined {
	const known = answer.heaters.find((one) => one.name === heater);
	return known && { min: 0, max: known.max };
}
