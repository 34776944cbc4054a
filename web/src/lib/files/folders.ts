import type { Folder } from './types';

/** The last name of a path: "a/b" → "b". */
export function nameOf(path: string): string {
	return path.slice(path.lastIndexOf('/') + 1);
}

/** The path around: "a/b" → "a", "a" → "". */
export function parentOf(path: string): string {
	const at = path.lastIndexOf('/');
	return at < 0 ? '' : path.slice(0, at);
}

/** What leads to a folder, outermost first, itself included. */
export function trail(path: string): { name: string; path: string }[] {
	if (!path) return [];
	const names = path.split('/');
	return names.map((name, i) => ({ name, path: names.slice(0, i + 1).join('/') }));
}

/** The folders directly within one, by name as people sort it. */
export function within(folders: readonly Folder[], path: string, language: string): Folder[] {
	const compare = new Intl.Collator(language, { numeric: true }).compare;
	return folders.filter((folder) => parentOf(folder.path) === path && folder.path !== path).sort((a, b) => compare(nameOf(a.path), nameOf(b.path)));
}

/** The address of a folder of a library: of whose, where there are several, and with the printers that were chosen for what is printed next. */
export function libraryLink(folder: string, workspace = '', printers: readonly string[] = []): string {
	const query = new URLSearchParams();
	if (workspace) query.set('workspace', workspace);
	if (folder) query.set('folder', folder);
	if (printers.length > 0) query.set('for', printers.join(','));
	return query.size > 0 ? `/files?${query}` : '/files';
}

export function join(path: string, name: string): string {
	return path ? `${path}/${name}` : name;
}
