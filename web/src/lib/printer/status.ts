import type { Printer, PrinterStatus } from '$lib/api/types';
import { m } from '$lib/paraglide/messages';

/** The colour a state has; always beside its word. */
export type Tone = 'printing' | 'done' | 'paused' | 'error' | 'idle';

/** What a person calls the state: the server's status, and two more that are not the machine's but ours. */
export type Look = PrinterStatus | 'disconnected' | 'pending';

const looks: Record<Look, { tone: Tone; word: () => string }> = {
	offline: { tone: 'idle', word: () => m.printer_status_offline() },
	disconnected: { tone: 'idle', word: () => m.printer_status_disconnected() },
	pending: { tone: 'paused', word: () => m.printer_status_pending() },
	connecting: { tone: 'idle', word: () => m.printer_status_connecting() },
	idle: { tone: 'idle', word: () => m.printer_status_idle() },
	heating: { tone: 'printing', word: () => m.printer_status_heating() },
	printing: { tone: 'printing', word: () => m.printer_status_printing() },
	pausing: { tone: 'paused', word: () => m.printer_status_pausing() },
	paused: { tone: 'paused', word: () => m.printer_status_paused() },
	resuming: { tone: 'printing', word: () => m.printer_status_resuming() },
	cancelling: { tone: 'paused', word: () => m.printer_status_cancelling() },
	finishing: { tone: 'printing', word: () => m.printer_status_finishing() },
	error: { tone: 'error', word: () => m.printer_status_error() },
	unknown: { tone: 'idle', word: () => m.printer_status_unknown() }
};

type Seen = Pick<Printer, 'online' | 'status' | 'pending'>;

/** Which state to show. A device that is there without its printer is not the same as a device that is away. */
export function lookOf(printer: Seen): Look {
	if (printer.pending && !printer.online) return 'pending';
	if (!printer.online) return 'offline';
	if (printer.status === 'offline') return 'disconnected';
	// A newer server may know states that this page does not.
	return printer.status in looks ? printer.status : 'unknown';
}

/**
 * Whether OctoPrint has its printer on the wire. An error ends that as an emergency stop does: OctoPrint waits to be
 * connected again, and has nothing left to disconnect.
 */
export function isWired(printer: Seen): boolean {
	return printer.online && printer.status !== 'offline' && printer.status !== 'error';
}

export function statusTone(look: Look): Tone {
	return looks[look].tone;
}

export function statusWord(look: Look): string {
	return looks[look].word();
}

const active: ReadonlySet<string> = new Set([
	'heating',
	'printing',
	'pausing',
	'paused',
	'resuming',
	'cancelling',
	'finishing'
] satisfies PrinterStatus[]);

/** A job has begun and has not ended, as far as the device last said. */
export function isActive(printer: Pick<Printer, 'status'>): boolean {
	return active.has(printer.status);
}

/** It is getting on with a job now: connected and not held. */
export function isPrinting(printer: Seen): boolean {
	return printer.online && isActive(printer) && printer.status !== 'paused';
}

/** The shortest time after which a reading is old, in seconds. */
const FRESH_SECONDS = 15;

/**
 * Whether what is shown is old: the server says so, or nothing newer came since, counted by the server's clock. An
 * offline printer is not stale, it is offline.
 */
export function isStale(printer: Pick<Printer, 'online' | 'stale' | 'reported_at' | 'interval'>, serverNow: number): boolean {
	if (!printer.online) return false;
	if (printer.stale) return true;
	if (!printer.reported_at) return false;
	// One second more than the server allows: its own flag should come first, this is for a lost connection.
	const limit = Math.max(FRESH_SECONDS, 3 * (printer.interval || 0)) + 1;
	return serverNow - Date.parse(printer.reported_at) > limit * 1000;
}
