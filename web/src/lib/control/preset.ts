import { api } from '$lib/api/client';
import type { Items } from '$lib/api/types';
import { heaterKind } from '$lib/printer/heaters';

/** Temperatures under a name, the same for every printer of a workspace. °C; a part that is missing is left as it is. */
export interface Preset {
	id: string;
	name: string;
	tool?: number | null;
	bed?: number | null;
	chamber?: number | null;
}

/** What each heater is to have, by OctoPrint's name. */
export type Targets = Record<string, number>;

/** A preset for a printer that has these heaters: all its nozzles, what the preset says of the rest. */
export function targetsOf(preset: Preset, heaters: string[]): Targets {
	const targets: Targets = {};
	for (const heater of heaters) {
		const kind = heaterKind(heater);
		const to = kind === 'nozzle' ? preset.tool : kind === 'bed' ? preset.bed : kind === 'chamber' ? preset.chamber : undefined;
		if (typeof to === 'number') targets[heater] = to;
	}
	return targets;
}

/** The presets of a workspace. */
export async function fetchPresets(workspace: string): Promise<Preset[]> {
	return (await api.get<Items<Preset>>(`/workspaces/${encodeURIComponent(workspace)}/presets`)).items;
}

/** Replaces them all: the order of the list is the order of the buttons. */
export async function savePresets(workspace: string, items: Preset[]): Promise<Preset[]> {
	return (await api.put<Items<Preset>>(`/workspaces/${encodeURIComponent(workspace)}/presets`, { items })).items;
}
