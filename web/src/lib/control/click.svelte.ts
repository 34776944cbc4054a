import { asProblem } from '$lib/api/client';
import { problemOutcome, type Outcome, type State } from './outcome';

/** How long "done" stays beside its control, ms. What went wrong stays until the next click. */
const LINGER = 8000;

/** Does something at the printer; `told` hears each step on the way (sent, then seen). */
export type Work = (told: (outcome: Outcome) => void) => Promise<Outcome>;

/**
 * The last click on a group of controls: pending at once, then done or the reason why not. One line of the page shows
 * it, so no click is ever silent.
 */
export class Click {
	state = $state<State | undefined>();
	/** Which control of the group it was. */
	key = $state('');
	/** What it does, in words. */
	what = $state('');
	why = $state('');

	#turn = 0;
	#rest: ReturnType<typeof setTimeout> | undefined;

	/** This control's click is on its way. */
	pending(key: string): boolean {
		return this.state === 'pending' && this.key === key;
	}

	get busy(): boolean {
		return this.state === 'pending';
	}

	/** Does the work for a control; gives whether it worked, as far as can be known. */
	async run(key: string, what: string, work: Work): Promise<boolean> {
		const turn = ++this.#turn;
		clearTimeout(this.#rest);
		this.key = key;
		this.what = what;
		this.why = '';
		this.state = 'pending';
		const show = (outcome: Outcome) => {
			if (turn !== this.#turn) return;
			this.state = outcome.state;
			this.why = outcome.why;
		};
		let outcome: Outcome;
		try {
			outcome = await work(show);
		} catch (thrown) {
			outcome = problemOutcome(asProblem(thrown));
		}
		show(outcome);
		const worked = outcome.state === 'done' || outcome.state === 'seen';
		if (turn === this.#turn && worked) this.#rest = setTimeout(() => this.clear(), LINGER);
		return worked;
	}

	clear(): void {
		this.#turn++;
		this.state = undefined;
		this.why = '';
	}
}
