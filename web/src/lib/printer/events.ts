import type { PrinterEvent } from '$lib/api/types';
import { spokenDuration } from '$lib/i18n/format.svelte';
import { m } from '$lib/paraglide/messages';
import type { Tone } from './status';

interface Words {
	tone: Tone;
	text: (data: Record<string, unknown>) => string;
}

/** What happened, in a person's words. Types without an entry are shown by their own name. */
const words: Record<string, Words> = {
	online: { tone: 'done', text: () => m.printer_event_online() },
	offline: { tone: 'idle', text: (d) => offlineText(text(d.reason)) },
	dropped: { tone: 'paused', text: (d) => m.printer_event_dropped({ count: count(d.count) }) },
	malformed: { tone: 'idle', text: () => m.printer_event_malformed() },
	gap: { tone: 'paused', text: (d) => m.printer_event_gap({ count: count(d.count) }) },
	Connected: { tone: 'done', text: (d) => (text(d.port) ? m.printer_event_connected_port({ port: text(d.port) }) : m.printer_event_connected()) },
	Disconnected: { tone: 'idle', text: () => m.printer_event_disconnected() },
	PrintStarted: { tone: 'printing', text: (d) => withFile(d, m.printer_event_started_file, m.printer_event_started) },
	PrintDone: { tone: 'done', text: doneText },
	PrintFailed: { tone: 'error', text: (d) => withFile(d, m.printer_event_failed_file, m.printer_event_failed) },
	PrintCancelling: { tone: 'paused', text: () => m.printer_event_cancelling() },
	PrintCancelled: { tone: 'paused', text: (d) => withFile(d, m.printer_event_cancelled_file, m.printer_event_cancelled) },
	PrintPaused: { tone: 'paused', text: () => m.printer_event_paused() },
	PrintResumed: { tone: 'printing', text: () => m.printer_event_resumed() },
	FilamentChange: { tone: 'paused', text: () => m.printer_event_filament_change() },
	ToolChange: { tone: 'idle', text: () => m.printer_event_tool_change() },
	EStop: { tone: 'error', text: () => m.printer_event_estop() },
	Error: {
		tone: 'error',
		text: (d) => (text(d.error) ? m.printer_event_error_text({ text: text(d.error) }) : m.printer_event_error())
	},
	Startup: { tone: 'idle', text: () => m.printer_event_startup() },
	Shutdown: { tone: 'idle', text: () => m.printer_event_shutdown() },
	PrinterReset: { tone: 'paused', text: () => m.printer_event_reset() },
	PowerOn: { tone: 'done', text: () => m.printer_event_power_on() },
	PowerOff: { tone: 'idle', text: () => m.printer_event_power_off() },
	Waiting: { tone: 'paused', text: () => m.printer_event_waiting() },
	Cooling: { tone: 'idle', text: () => m.printer_event_cooling() },
	Home: { tone: 'idle', text: () => m.printer_event_home() },
	FileSelected: { tone: 'idle', text: (d) => withFile(d, m.printer_event_file_selected_name, m.printer_event_file_selected) },
	FileAdded: { tone: 'idle', text: (d) => withFile(d, m.printer_event_file_added_name, m.printer_event_file_added) },
	FileRemoved: { tone: 'idle', text: (d) => withFile(d, m.printer_event_file_removed_name, m.printer_event_file_removed) }
};

const offlineReasons: Record<string, () => string> = {
	client: () => m.printer_event_offline_client(),
	will: () => m.printer_event_offline_lost(),
	timeout: () => m.printer_event_offline_lost(),
	takeover: () => m.printer_event_offline_takeover(),
	revoked: () => m.printer_event_offline_revoked(),
	stopping: () => m.printer_event_offline_stopping()
};

export function eventText(event: Pick<PrinterEvent, 'type' | 'data'>): string {
	return words[event.type]?.text(event.data ?? {}) ?? m.printer_event_other({ type: event.type });
}

export function eventTone(event: Pick<PrinterEvent, 'type'>): Tone {
	return words[event.type]?.tone ?? 'idle';
}

/**
 * Newest first, none twice: what the list had and what just came, from the push or from a page loaded later. Bounded,
 * so that a page left open for a month does not fill up.
 */
export function mergeEvents(known: PrinterEvent[], more: PrinterEvent[], limit = 500): PrinterEvent[] {
	const byId = new Map([...known, ...more].map((event) => [event.id, event]));
	return [...byId.values()].sort(newestFirst).slice(0, limit);
}

function newestFirst(a: PrinterEvent, b: PrinterEvent): number {
	const later = Date.parse(b.at) - Date.parse(a.at);
	if (later) return later;
	// Of one device at one moment its own order counts; ids are made in the order of storing.
	if (a.epoch && a.epoch === b.epoch && a.seq !== undefined && b.seq !== undefined) return b.seq - a.seq;
	return a.id < b.id ? 1 : -1;
}

function offlineText(reason: string): string {
	return offlineReasons[reason]?.() ?? m.printer_event_offline();
}

function doneText(data: Record<string, unknown>): string {
	const file = fileOf(data);
	const seconds = Number(data.time);
	if (file && Number.isFinite(seconds) && seconds > 0)
		return m.printer_event_done_file_time({ file, duration: spokenDuration(seconds) });
	return file ? m.printer_event_done_file({ file }) : m.printer_event_done();
}

function withFile(data: Record<string, unknown>, some: (with_: { file: string }) => string, none: () => string): string {
	const file = fileOf(data);
	return file ? some({ file }) : none();
}

function fileOf(data: Record<string, unknown>): string {
	return text(data.name) || text(data.path).split('/').at(-1) || '';
}

// Data is whatever the device sent: anything that is no text is no text here.
function text(value: unknown): string {
	return typeof value === 'string' ? value.trim() : '';
}

function count(value: unknown): number {
	return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}
