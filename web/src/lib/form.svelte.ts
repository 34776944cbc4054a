import { tick } from 'svelte';
import { asProblem, sentence, type Problem } from './api/client';
import { Countdown } from './countdown.svelte';
import { fieldOf } from './fieldof';
import { spokenWait } from './i18n/format.svelte';
import { m } from './paraglide/messages';

/** A form on its way to the server: pending at once, then what was wrong, at its field or for the whole form. */
export class Form {
	pending = $state(false);
	problem = $state.raw<Problem | undefined>();
	readonly wait = new Countdown();
	readonly #fields: readonly string[];

	constructor(...fields: string[]) {
		this.#fields = fields;
	}

	/** What is wrong with this field. */
	error(field: string): string | undefined {
		return this.problem && fieldOf(this.problem, this.#fields) === field ? sentence(this.problem) : undefined;
	}

	/** What is wrong with the whole. A wait is told by `reason` while it counts down. */
	get general(): string | undefined {
		if (!this.problem || fieldOf(this.problem, this.#fields) || this.wait.left > 0) return undefined;
		if (this.problem.code === 'slow_down' && this.problem.retryAfter) return undefined;
		return sentence(this.problem);
	}

	/** Why it cannot be sent now. */
	get reason(): string | undefined {
		return this.wait.left > 0 ? m.common_error_slow_down({ wait: spokenWait(this.wait.left) }) : undefined;
	}

	/** Sends it; undefined when it was refused, with the first wrong field focused. */
	async send<T>(work: () => Promise<T>): Promise<{ value: T } | undefined> {
		if (this.pending || this.wait.left > 0) return undefined;
		this.pending = true;
		this.problem = undefined;
		try {
			return { value: await work() };
		} catch (thrown) {
			this.problem = asProblem(thrown);
			if (this.problem.code === 'slow_down' && this.problem.retryAfter) this.wait.start(this.problem.retryAfter);
			return undefined;
		} finally {
			this.pending = false;
			if (this.problem) {
				await tick();
				document.querySelector<HTMLElement>('form [aria-invalid="true"]')?.focus();
			}
		}
	}

	clear(): void {
		this.problem = undefined;
	}
}
