/** What can be asked of a printer: the body of POST /printers/{uuid}/commands, fields as in the protocol. */
export type Command =
	| { type: 'pause' | 'resume' | 'cancel' | 'emergency_stop' | 'connect' | 'disconnect' }
	| { type: 'home'; axes: string }
	| { type: 'move'; x?: number; y?: number; z?: number; feedrate: number }
	| { type: 'set_temperature'; tool: number; temperature: number }
	| { type: 'set_feed_rate' | 'set_flow_rate'; factor: number }
	| { type: 'set_fan_speed'; speed: number }
	| { type: 'extrude'; amount: number; tool?: number }
	| { type: 'select_tool'; tool: number }
	| { type: 'system'; action: string }
	| { type: 'gcode'; line: string }
	| { type: 'print' | 'delete_file'; origin: string; path: string };

export type CommandType = Command['type'];

/** A command as the history has it: of any type, also such as this page does not know. */
export interface SomeCommand {
	type: string;
	[field: string]: unknown;
}

/** The wire's number of a heater: −1 bed, −2 chamber, 0… extruder; undefined for one that cannot be set. */
export function toolOf(heater: string): number | undefined {
	if (heater === 'bed') return -1;
	if (heater === 'chamber') return -2;
	const tool = /^tool(\d+)$/.exec(heater);
	return tool ? Number(tool[1]) : undefined;
}

export function heaterOf(tool: number): string {
	return tool === -1 ? 'bed' : tool === -2 ? 'chamber' : `tool${tool}`;
}

/** Hotter by so much is heating, which is asked once; less is a correction. */
const CORRECTION = 20;

/** Whether a target begins to heat, so that a person has to say yes. */
export function heats(before: number | null | undefined, target: number): boolean {
	return target - (before ?? 0) > CORRECTION;
}
