/** The device's own files, as a list a person can look through. */

export interface DeviceFile {
	path: string;
	/** Bytes; 0: not known. */
	size?: number;
	/** Unix seconds, by the device's clock; 0: not known. */
	date?: number;
}

export interface FileTree {
	/** When the device said so; null: it never did. */
	at: string | null;
	local: DeviceFile[];
	sdcard: DeviceFile[];
	omitted: number;
}

export type Origin = 'local' | 'sdcard';

export interface ListedFile extends DeviceFile {
	origin: Origin;
	name: string;
	/** "" at the top. */
	folder: string;
}

const printable = /\.(g|gco|gcode|bgcode|ufp)$/i;

/** The files of one place that can be printed, newest first, those without a date after them by name. */
export function listFiles(tree: FileTree, origin: Origin, search: string, language: string): ListedFile[] {
	const wanted = search.trim().toLocaleLowerCase();
	return tree[origin]
		.filter((file) => origin === 'sdcard' || printable.test(file.path))
		.map((file) => {
			const at = file.path.lastIndexOf('/');
			return { ...file, origin, name: file.path.slice(at + 1), folder: at < 0 ? '' : file.path.slice(0, at) };
		})
		.filter((file) => !wanted || file.path.toLocaleLowerCase().includes(wanted))
		.sort((a, b) => (b.date ?? 0) - (a.date ?? 0) || a.path.localeCompare(b.path, language, { numeric: true }));
}

/** Whether a file is the one that is being printed, so that it cannot be deleted. */
export function isInUse(file: ListedFile, job: { origin: string; path: string; name: string } | null | undefined): boolean {
	return !!job && job.origin === file.origin && (job.path || job.name) === file.path;
}
