import { number } from '$lib/i18n/format.svelte';
import { m } from '$lib/paraglide/messages';
import { heaterName } from '$lib/printer/heaters';
import { heaterOf, type SomeCommand } from './command';

const figure = (value: unknown, digits = 1): string =>
	typeof value === 'number' && Number.isFinite(value) ? number(value, { maximumFractionDigits: digits }) : '?';
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const base = (path: unknown): string => text(path).split('/').at(-1) || text(path);

const words: Record<string, (command: SomeCommand, nozzles: number) => string> = {
	pause: () => m.control_did_pause(),
	resume: () => m.control_did_resume(),
	cancel: () => m.control_did_cancel(),
	home: (c) => m.control_did_home({ axes: text(c.axes) || 'XYZ' }),
	move: (c) => m.control_did_move({ way: way(c) }),
	set_temperature: (c, nozzles) => {
		const heater = heaterName(heaterOf(typeof c.tool === 'number' ? c.tool : 0), nozzles);
		return c.temperature === 0 ? m.control_did_off({ heater }) : m.control_did_heat({ heater, value: figure(c.temperature, 0) });
	},
	set_feed_rate: (c) => m.control_did_speed({ value: figure(c.factor, 0) }),
	feed_rate: (c) => m.control_did_speed({ value: figure(c.factor, 0) }),
	set_flow_rate: (c) => m.control_did_flow({ value: figure(c.factor, 0) }),
	set_fan_speed: (c) => m.control_did_fan({ value: figure(c.speed, 0) }),
	fan_speed: (c) => m.control_did_fan({ value: figure(c.speed, 0) }),
	extrude: (c) => {
		const amount = typeof c.amount === 'number' ? c.amount : 0;
		return amount < 0 ? m.control_did_retract({ value: figure(-amount) }) : m.control_did_extrude({ value: figure(amount) });
	},
	select_tool: (c) => m.control_did_tool({ heater: heaterName(heaterOf(typeof c.tool === 'number' ? c.tool : 0), 2) }),
	emergency_stop: () => m.control_did_estop(),
	connect: () => m.control_did_connect(),
	disconnect: () => m.control_did_disconnect(),
	system: (c) => m.control_did_system({ action: text(c.action) }),
	gcode: (c) => (text(c.macro) ? m.control_did_macro({ name: text(c.macro) }) : lineWords(c)),
	print: (c) => m.control_did_print({ file: base(c.path) }),
	delete_file: (c) => m.control_did_delete({ file: base(c.path) }),
	fetch_file: (c) => m.control_did_fetch({ file: base(nameOf(c.fetch)) }),
	send_file: (c) => m.control_did_send({ file: base(c.path) })
};

/** What a command does, in a few words: in the history, and beside the control while it is on its way. */
export function describe(command: SomeCommand, nozzles = 1): string {
	return words[command.type]?.(command, nozzles) ?? command.type;
}

/** A terminal's line, or a macro whose name is not known by its first lines. */
function lineWords(command: SomeCommand): string {
	const lines = Array.isArray(command.lines) ? command.lines.map(text) : [text(command.line)];
	return m.control_did_gcode({ line: lines.join(' / ') });
}

/** "X +10 mm" for each axis that moves. */
function way(command: SomeCommand): string {
	return ['x', 'y', 'z', 'e']
		.filter((axis) => typeof command[axis] === 'number')
		.map((axis) => axisWay(axis, command[axis] as number))
		.join(', ');
}

export function axisWay(axis: string, distance: number): string {
	const signed = number(distance, { maximumFractionDigits: 2, signDisplay: 'exceptZero' });
	return m.control_axis_way({ axis: axis.toUpperCase(), distance: signed });
}

function nameOf(fetch: unknown): unknown {
	return typeof fetch === 'object' && fetch !== null ? (fetch as { name?: unknown }).name : undefined;
}
