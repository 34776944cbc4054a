/**
 * Moving the head by buttons and keys. A held key repeats about 30 times a second, far faster than any printer moves,
 * and OctoPrint answers when it has taken a move, not when the head has arrived. So a repeat is sent only when the
 * move before it must be over: letting go of the key stops the head within one step.
 */

export const steps = [0.1, 1, 10, 100] as const;
export type Step = (typeof steps)[number];

export type Axis = 'x' | 'y' | 'z';
export interface Move {
	axis: Axis;
	/** mm, with its sign. */
	distance: number;
}

/** mm/min. Z screws are slow: Marlin's printers allow 300 to 720. */
const feedrates: Record<Axis, number> = { x: 3000, y: 3000, z: 300 };

export function feedrate(axis: Axis): number {
	return feedrates[axis];
}

/** How long the head is on its way, ms, without the time to gain speed. */
export function travelTime(move: Move): number {
	return (Math.abs(move.distance) / feedrates[move.axis]) * 60_000;
}

export type JogKey = { do: 'move'; axis: Axis; sign: 1 | -1 } | { do: 'step'; step: Step } | { do: 'home' };

const keys: Record<string, JogKey> = {
	ArrowLeft: { do: 'move', axis: 'x', sign: -1 },
	ArrowRight: { do: 'move', axis: 'x', sign: 1 },
	ArrowUp: { do: 'move', axis: 'y', sign: 1 },
	ArrowDown: { do: 'move', axis: 'y', sign: -1 },
	PageUp: { do: 'move', axis: 'z', sign: 1 },
	PageDown: { do: 'move', axis: 'z', sign: -1 },
	Home: { do: 'home' },
	'1': { do: 'step', step: 0.1 },
	'2': { do: 'step', step: 1 },
	'3': { do: 'step', step: 10 },
	'4': { do: 'step', step: 100 }
};

type Pressed = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'altKey' | 'metaKey'>;

/** What a key does on the pad; undefined leaves it to the browser, as everything with Ctrl, Alt or Meta. */
export function jogKey(event: Pressed): JogKey | undefined {
	return event.ctrlKey || event.altKey || event.metaKey ? undefined : keys[event.key];
}

/** Presses that wait while one is on its way; more are dropped, so that a nervous finger cannot fill a queue. */
const WAITING = 3;

/** Sends moves one after the other. */
export class Jogger {
	readonly #send: (move: Move) => Promise<boolean>;
	readonly #now: () => number;
	#waiting: Move[] = [];
	#running = false;
	#arrives = 0;

	/** `send` gives whether the device took the move; after a refusal the rest is dropped. */
	constructor(send: (move: Move) => Promise<boolean>, now: () => number = () => performance.now()) {
		this.#send = send;
		this.#now = now;
	}

	/** A button or a key; `repeat` is a key held down. Gives whether it is taken. */
	press(move: Move, repeat = false): boolean {
		if (repeat && (this.#running || this.#now() < this.#arrives)) return false;
		if (this.#waiting.length >= WAITING) return false;
		this.#waiting.push(move);
		void this.#run();
		return true;
	}

	async #run(): Promise<void> {
		if (this.#running) return;
		this.#running = true;
		try {
			for (let move = this.#waiting.shift(); move; move = this.#waiting.shift()) {
				const begun = this.#now();
				if (!(await this.#send(move))) {
					this.#waiting = [];
					return;
				}
				this.#arrives = Math.max(this.#arrives, begun) + travelTime(move);
			}
		} finally {
			this.#running = false;
		}
	}
}
