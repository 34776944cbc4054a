import { api } from '$lib/api/client';
import type { Items } from '$lib/api/types';

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

/** The macros of a workspace. */
export async function fetchMacros(workspace: string): Promise<Macro[]> {
	return (await api.get<Items<Macro>>(`/workspaces/${encodeURIComponent(workspace)}/macros`)).items;
}

/** Replaces them all: the order of the list is the order of the buttons. */
export async function saveMacros(workspace: string, items: Macro[]): Promise<Macro[]> {
	return (await api.put<Items<Macro>>(`/workspaces/${encodeURIComponent(workspace)}/macros`, { items })).items;
}
