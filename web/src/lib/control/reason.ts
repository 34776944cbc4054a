import { m } from '$lib/paraglide/messages';
import type { CommandType } from './command';

/** Why a command cannot be given now: the server's codes, and `no_file`, `asking` and `server` that only the page knows. */
const generic: Record<string, () => string> = {
	device_offline: () => m.control_why_device_offline(),
	printer_offline: () => m.control_why_printer_offline(),
	connecting: () => m.control_why_connecting(),
	printing: () => m.control_why_printing(),
	paused: () => m.control_why_paused(),
	not_printing: () => m.control_why_not_printing(),
	not_paused: () => m.control_why_not_paused(),
	busy: () => m.control_why_busy(),
	error: () => m.control_why_error(),
	connected: () => m.control_why_connected(),
	asking: () => m.control_why_asking(),
	state_unknown: () => m.control_why_state_unknown(),
	plugin_cannot: () => m.control_why_plugin_cannot(),
	role: () => m.control_why_role_operator(),
	right_missing: () => m.control_why_right_missing(),
	other_tool: () => m.control_why_other_tool(),
	no_file: () => m.control_why_no_file(),
	server: () => m.control_why_server()
};

/** What the words for everything would say badly. */
const particular: Partial<Record<CommandType, Record<string, () => string>>> = {
	pause: { paused: () => m.control_why_paused_already() },
	home: { printing: () => m.control_why_printing_move(), paused: () => m.control_why_paused_home() },
	move: { printing: () => m.control_why_printing_move() },
	extrude: { printing: () => m.control_why_printing_extrude() },
	print: { printing: () => m.control_why_printing_print() },
	disconnect: { printing: () => m.control_why_printing_disconnect() },
	system: { printing: () => m.control_why_printing_system(), role: () => m.control_why_role_owner() }
};

export function reasonWords(code: string, type: CommandType): string {
	return (particular[type]?.[code] ?? generic[code])?.() ?? m.control_why_other({ code });
}
