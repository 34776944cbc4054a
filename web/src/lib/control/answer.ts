import { heaterKind } from '$lib/printer/heaters';
import type { CommandType } from './command';
import type { Range } from './figure';

/** One of OctoPrint's own system commands. */
export interface SystemAction {
	/** source/action, as OctoPrint names it. */
	action: string;
	name: string;
}

interface FieldRule {
	name: string;
	min?: number;
	max?: number;
}

/** GET /printers/{uuid}/controls: what the asker may do with the printer now, and within which limits. */
export interface ControlsAnswer {
	commands: Record<string, { possible: boolean; reason?: string; fields?: FieldRule[] }>;
	max_temperatures: { tool: number; bed: number; chamber: number };
	/** What operators may send in the terminal. */
	terminal: string[];
	system: SystemAction[];
}

/** Within what a command's number has to be; for a temperature by its heater. */
export function fieldRange(answer: ControlsAnswer, type: CommandType, field: string, heater?: string): Range | undefined {
	if (field === 'temperature' && heater) {
		const kind = heaterKind(heater);
		const max = kind === 'bed' || kind === 'chamber' ? answer.max_temperatures[kind] : answer.max_temperatures.tool;
		return { min: 0, max };
	}
	const rule = answer.commands[type]?.fields?.find((one) => one.name === field);
	return rule && rule.max !== undefined ? { min: rule.min ?? 0, max: rule.max } : undefined;
}
