import { untrack } from 'svelte';
import { api, asProblem, type Problem } from '$lib/api/client';
import { push } from '$lib/live/push.svelte';
import type { LivePrinter } from '$lib/live/printer.svelte';
import { m } from '$lib/paraglide/messages';
import { reach } from '$lib/reach.svelte';
import { fieldRange, heaterRange, hindranceOf, type ControlsAnswer } from './answer';
import type { Click, Work } from './click.svelte';
import type { Command, CommandType } from './command';
import { describe } from './describe';
import type { Range } from './figure';
import { fetchMacros, type Macro } from './macro';
import { fetchPresets, type Preset } from './preset';
import { reasonWords } from './reason';
import { send, sendMacro } from './send';

/**
 * What can be done with a printer now, by the person who looks: the server's answer, asked again with every change that
 * may change it. Make it in a component: it asks as long as that stands.
 */
export class Controls {
	answer = $state.raw<ControlsAnswer | undefined>();
	problem = $state.raw<Problem | undefined>();
	/** The workspace's own. */
	presets = $state.raw<Preset[]>([]);
	macros = $state.raw<Macro[]>([]);
	/** Goes on with each command that was given from here, for those who show what was given. */
	given = $state(0);

	readonly #uuid: string;
	readonly #get: () => LivePrinter | undefined;
	#last: LivePrinter | undefined;
	#turn = 0;

	/** `get` gives the printer, once it is known. */
	constructor(uuid: string, get: () => LivePrinter | undefined) {
		this.#uuid = uuid;
		this.#get = get;
		// What the answer hangs on; temperatures and progress do not change it.
		const grounds = $derived.by(() => {
			const data = get()?.data;
			if (!data) return undefined;
			const { online, status, role, connection, agent } = data;
			return [online, status, role, connection?.state, connection?.profile?.id, agent?.version, agent?.caps?.join()].join('|');
		});
		const workspace = $derived(get()?.data.workspace.id);
		$effect(() => {
			if (grounds !== undefined) untrack(() => void this.load());
		});
		$effect(() => {
			if (workspace) void this.#loadOwn(workspace);
		});
		$effect(() => reach.onBack(() => void this.load()));
		$effect(() => push.onRefresh(() => void this.load()));
	}

	/** The printer; only to be asked for where there is one. */
	get printer(): LivePrinter {
		this.#last = this.#get() ?? this.#last;
		if (!this.#last) throw new Error('the printer is not known yet');
		return this.#last;
	}

	async #loadOwn(workspace: string): Promise<void> {
		// Without them everything else still works.
		const [presets, macros] = await Promise.all([fetchPresets(workspace).catch(() => []), fetchMacros(workspace).catch(() => [])]);
		this.presets = presets;
		this.macros = macros;
	}

	load = async (): Promise<void> => {
		const turn = ++this.#turn;
		try {
			const answer = await api.get<ControlsAnswer>(`/printers/${this.#uuid}/controls`);
			if (turn !== this.#turn) return;
			this.answer = answer;
			this.problem = undefined;
		} catch (thrown) {
			if (turn === this.#turn) this.problem = asProblem(thrown);
		}
	};

	/** Why a command cannot be given now, in words. */
	reason(type: CommandType): string | undefined {
		const code = this.hindrance(type);
		return code ? reasonWords(code, type) : undefined;
	}

	hindrance(type: CommandType): string | undefined {
		if (reach.state === 'lost') return 'server';
		if (!this.printer.online) return 'device_offline';
		return this.answer ? hindranceOf(this.answer, type) : 'asking';
	}

	/** Within what a command's number has to be. */
	range(type: CommandType, field: string): Range | undefined {
		return this.answer && fieldRange(this.answer, type, field);
	}

	/** The temperatures that may be asked of a heater. */
	heaterRange(heater: string): Range | undefined {
		return this.answer && heaterRange(this.answer, heater);
	}

	/** Sends a command for a control of a group; gives whether it worked. */
	run(click: Click, key: string, command: Command, what?: string): Promise<boolean> {
		return this.#click(click, key, what ?? describe(command, this.nozzles), (told) => send(this.printer.uuid, command, told));
	}

	/** Runs a macro of the workspace. */
	runMacro(click: Click, macro: Macro): Promise<boolean> {
		return this.#click(click, macro.id, m.control_did_macro({ name: macro.name }), (told) => sendMacro(this.printer.uuid, macro.id, told));
	}

	async #click(click: Click, key: string, what: string, work: Work): Promise<boolean> {
		const worked = await click.run(key, what, work);
		this.given++;
		return worked;
	}

	get nozzles(): number {
		return Object.keys(this.printer.data.temperatures).filter((key) => key.startsWith('tool')).length;
	}
}
