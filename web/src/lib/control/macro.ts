import { api } from '$lib/api/client';
import type { Problem } from '$lib/api/problem';
import type { Items } from '$lib/api/types';
import { m } from '$lib/paraglide/messages';

/** G-code lines under a name, the same for every printer of a workspace. */
export interface Macro {
	id: string;
	name: string;
	lines: string[];
}

/** What a person typed as lines: empty ones at the end are not meant. */
export function linesOf(text: string): string[] {
	return text
		.split(/\r?\n/)
		.map((line) => line.trim())
		.filter((line) => line !== '');
}

/** What is wrong with a line, by the server's reason. */
const faults: Record<string, (inputs: { text: string }) => string> = {
	too_long: m.workspace_macro_line_too_long,
	not_ascii: m.workspace_macro_line_not_ascii,
	control_character: m.workspace_macro_line_control,
	two_lines: m.workspace_macro_line_two
};

/** Which of the lines that a person typed the server refused, as an editor counts them, and why. */
export function lineWords(problem: Pick<Problem, 'field' | 'body'> | undefined, typed: string): string | undefined {
	const index = problem?.field?.match(/\.lines\[(\d+)\]$/)?.[1];
	const fault = faults[problem?.body.reason ?? ''];
	if (index === undefined || !fault) return undefined;
	// Empty lines were not sent, but are counted on the screen.
	const lines = typed.split(/\r?\n/).map((text, i) => ({ text: text.trim(), line: i + 1 })).filter(({ text }) => text !== '');
	const which = lines[Number(index)];
	if (!which) return undefined;
	const text = which.text.length > 40 ? `${which.text.slice(0, 40)}…` : which.text;
	return m.control_line_wrong({ line: which.line, why: fault({ text }) });
}

/** The macros of a workspace. */
export async function fetchMacros(workspace: string): Promise<Macro[]> {
	return (await api.get<Items<Macro>>(`/workspaces/${encodeURIComponent(workspace)}/macros`)).items;
}

/** Replaces them all: the order of the list is the order of the buttons. */
export async function saveMacros(workspace: string, items: Macro[]): Promise<Macro[]> {
	return (await api.put<Items<Macro>>(`/workspaces/${encodeURIComponent(workspace)}/macros`, { items })).items;
}
