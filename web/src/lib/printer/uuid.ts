const canonical = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** The form that topics and paths take: lower case, RFC 4122 version 4. */
export function isUuid(text: string): boolean {
	return canonical.test(text);
}

/**
 * What a person typed or pasted, as a UUID where that is possible: a set-up address, braces, `urn:uuid:`, capitals,
 * missing or odd hyphens and spaces are all taken. Anything else comes back as it was, trimmed.
 */
export function tidyUuid(text: string): string {
	const trimmed = text.trim();
	const inAddress = /\/setup\/([^/?#\s]+)/.exec(trimmed);
	const plain = (inAddress?.[1] ?? trimmed).replace(/^urn:uuid:/i, '').replace(/[{}()"'`\s\u2010-\u2015\u2212_-]/g, '');
	if (!/^[0-9a-f]{32}$/i.test(plain)) return trimmed;
	const hex = plain.toLowerCase();
	return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

export type UuidFault = 'empty' | 'unfinished' | 'letters' | 'too_long' | 'version';

/** What is wrong with it so far, if anything; `unfinished` is no reason to scold somebody who is still typing. */
export function uuidFault(text: string): UuidFault | undefined {
	const tidy = tidyUuid(text);
	if (tidy === '') return 'empty';
	if (isUuid(tidy)) return undefined;
	const plain = tidy.replace(/[-\s]/g, '');
	if (!/^[0-9a-f]*$/i.test(plain)) return 'letters';
	if (plain.length > 32) return 'too_long';
	return plain.length < 32 ? 'unfinished' : 'version';
}
