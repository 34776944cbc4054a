import { number, spokenDuration } from '$lib/i18n/format.svelte';
import { m } from '$lib/paraglide/messages';
import type { Filament, LibraryFile } from './types';

/** All filament of a file: metres, and grams where the file tells them. */
export function filamentWords(list: Filament[] | undefined): string | undefined {
	if (!list?.length) return undefined;
	const length = list.reduce((sum, one) => sum + (one.length ?? 0), 0);
	const weight = list.reduce((sum, one) => sum + (one.weight ?? 0), 0);
	if (length <= 0) return undefined;
	const metres = `${number(length / 1000, { minimumFractionDigits: 1, maximumFractionDigits: 1 })} m`;
	return weight > 0 ? `${metres} · ${number(weight, { maximumFractionDigits: weight < 10 ? 1 : 0 })} g` : metres;
}

/** How long a print takes, by the slicer. */
export function timeWords(file: LibraryFile): string | undefined {
	const time = file.analysis.estimated_time;
	return time ? spokenDuration(time) : undefined;
}

export function sizeWords(file: LibraryFile): string | undefined {
	const b = file.analysis.bounds;
	if (!b) return undefined;
	const side = (from: number, to: number) => number(to - from, { maximumFractionDigits: 1 });
	return m.file_size_xyz({ x: side(b.min_x, b.max_x), y: side(b.min_y, b.max_y), z: number(file.analysis.height ?? b.max_z, { maximumFractionDigits: 1 }) });
}
