/** A part of a low-latency HLS stream, and where it stands: the number of its segment, and its own within that. */
export interface Part {
	uri: string;
	segment: number;
	index: number;
	duration: number;
	/** It can be decoded without the one before. */
	independent: boolean;
}

export interface Media {
	/** What comes before all parts. */
	init: string;
	parts: Part[];
	/** Of the part that comes next, which can be asked for already. */
	hint: string | undefined;
	/** What to ask the next playlist for: it is answered when this part is there. */
	next: { segment: number; index: number };
}

/** The value of an attribute of a tag: NAME=value, or NAME="value" (RFC 8216, 4.2). */
const attribute = (line: string, name: string): string | undefined =>
	new RegExp(`[:,]${name}=(?:"([^"]*)"|([^,]*))`).exec(line)?.slice(1).find((value) => value !== undefined);

/** The first stream of a multivariant playlist. */
export function parseIndex(text: string): { uri: string; codecs: string } | undefined {
	const lines = text.split(/\r?\n/);
	const at = lines.findIndex((line) => line.startsWith('#EXT-X-STREAM-INF:'));
	const uri = at < 0 ? undefined : lines.slice(at + 1).find((line) => line && !line.startsWith('#'));
	const codecs = at < 0 ? undefined : attribute(lines[at]!, 'CODECS');
	return uri && codecs ? { uri, codecs } : undefined;
}

/** A media playlist of low-latency HLS, with the parts that it lists (RFC 8216bis). */
export function parseMedia(text: string): Media | undefined {
	let init: string | undefined;
	let hint: string | undefined;
	let segment = 0;
	let index = 0;
	const parts: Part[] = [];
	for (const line of text.split(/\r?\n/)) {
		if (line.startsWith('#EXT-X-MEDIA-SEQUENCE:')) {
			segment = Number(line.slice(line.indexOf(':') + 1));
		} else if (line.startsWith('#EXT-X-MAP:')) {
			init = attribute(line, 'URI');
		} else if (line.startsWith('#EXT-X-PART:')) {
			const uri = attribute(line, 'URI');
			const duration = Number(attribute(line, 'DURATION'));
			if (uri && duration >= 0) {
				parts.push({ uri, segment, index, duration, independent: attribute(line, 'INDEPENDENT') === 'YES' });
			}
			index++;
		} else if (line.startsWith('#EXT-X-PRELOAD-HINT:')) {
			if (attribute(line, 'TYPE') === 'PART') hint = attribute(line, 'URI');
		} else if (line && !line.startsWith('#')) {
			segment++;
			index = 0;
		}
	}
	return init && Number.isSafeInteger(segment) ? { init, parts, hint, next: { segment, index } } : undefined;
}

/** Seconds of parts that are fetched one after the other at most; beyond, what a key frame begins later is enough. */
const WORTH_FETCHING = 2;

/**
 * The parts to fetch after one: those that follow it. It begins with the last key frame for somebody new, for whom the one
 * after his last is not there any more, and for whom too much has come since.
 */
export function follow(parts: readonly Part[], last: Part | undefined): readonly Part[] {
	const key = parts.findLastIndex((part) => part.independent);
	const at = last ? parts.findIndex((part) => part.segment === last.segment && part.index === last.index) : -1;
	if (at < 0) return key < 0 ? [] : parts.slice(key);
	const rest = parts.slice(at + 1);
	const seconds = rest.reduce((sum, part) => sum + part.duration, 0);
	return seconds > WORTH_FETCHING && key > at ? parts.slice(key) : rest;
}
