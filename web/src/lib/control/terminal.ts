/** The terminal's log as the page keeps it: the newest lines, each with a number of its own. */

export interface TerminalLine {
	id: number;
	text: string;
	/** To the printer, from it, or neither (OctoPrint's own word, or lines that are missing). */
	from: 'sent' | 'received' | 'other' | 'skipped';
}

export interface TerminalNews {
	lines?: string[];
	skipped?: number;
}

/** Lines kept: enough to scroll back through a minute of a fast print. */
export const KEEP_LINES = 1000;

/** Puts what came behind what is known. `skipped` are lines that were too many to send. */
export function follow(known: TerminalLine[], news: TerminalNews, skippedWords: (count: number) => string, keep = KEEP_LINES): TerminalLine[] {
	let id = known.at(-1)?.id ?? 0;
	const fresh: TerminalLine[] = [];
	const lines = (Array.isArray(news.lines) ? news.lines : []).filter((line): line is string => typeof line === 'string');
	if (typeof news.skipped === 'number' && news.skipped > 0) fresh.push({ id: ++id, text: skippedWords(news.skipped), from: 'skipped' });
	for (const text of lines) fresh.push({ id: ++id, text, from: origin(text) });
	return fresh.length === 0 ? known : [...known, ...fresh].slice(-keep);
}

/** OctoPrint writes "Send: N12 G1 X1*55" and "Recv: ok". */
function origin(text: string): TerminalLine['from'] {
	if (text.startsWith('Send:') || text.startsWith('>>>')) return 'sent';
	if (text.startsWith('Recv:') || text.startsWith('<<<')) return 'received';
	return 'other';
}

/** A poll and its answer: what fills a terminal without telling anything. */
const chatter = [/^Send: (N\d+\s+)?M(105|27)\b/, /^Recv: (ok )?(T\d?:|B:|.*\sT0?:\s*-?\d)/, /^Recv: (ok|wait|SD printing byte|Not SD printing)\s*/];

export function isChatter(line: TerminalLine): boolean {
	return chatter.some((pattern) => pattern.test(line.text));
}

/** Lines typed before, as a shell has them: up is older, down newer, beyond the newest is what was being typed. */
export class Typed {
	#lines: string[] = [];
	#at = 0;
	#draft = '';

	add(line: string): void {
		if (this.#lines.at(-1) !== line) this.#lines.push(line);
		this.#lines = this.#lines.slice(-50);
		this.#at = this.#lines.length;
		this.#draft = '';
	}

	older(current: string): string {
		if (this.#at === this.#lines.length) this.#draft = current;
		this.#at = Math.max(0, this.#at - 1);
		return this.#lines[this.#at] ?? current;
	}

	newer(current: string): string {
		if (this.#at >= this.#lines.length) return current;
		this.#at += 1;
		return this.#lines[this.#at] ?? this.#draft;
	}
}
