import { api } from './api/client';
import type { Items, Workspace } from './api/types';

/** The workspaces that one may see, one's own first. */
export async function fetchWorkspaces(): Promise<Workspace[]> {
	return (await api.get<Items<Workspace>>('/workspaces')).items;
}
