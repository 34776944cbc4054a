/** A number as a person types it. */

/** "215", "0,4", " 60 % " → number; undefined when it is none. */
export function readFigure(text: string): number | undefined {
	const bare = text.trim().replace(/\s*(%|°C|℃|mm)$/i, '').replace(',', '.');
	if (!/^[+-]?(\d+\.?\d*|\.\d+)$/.test(bare)) return undefined;
	const value = Number(bare);
	return Number.isFinite(value) ? value : undefined;
}

export interface Range {
	min: number;
	max: number;
}

export type Read = { value: number } | { wrong: 'empty' | 'no_number' } | { wrong: 'out_of_range'; range: Range };

/** The number in a field, or what is wrong with it. */
export function readWithin(text: string, range: Range | undefined): Read {
	if (text.trim() === '') return { wrong: 'empty' };
	const value = readFigure(text);
	if (value === undefined) return { wrong: 'no_number' };
	if (range && (value < range.min || value > range.max)) return { wrong: 'out_of_range', range };
	return { value };
}
