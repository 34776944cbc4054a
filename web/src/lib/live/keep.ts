/**
 * Gives `next`, but with every part that equals the one in `before` replaced by that very one. A report repeats nearly
 * everything the last one said; so only what really changed looks changed to whoever compares by identity.
 */
export function keep<T>(before: T, next: T): T {
	if (Object.is(before, next)) return before;
	if (!isBranch(before) || !isBranch(next) || Array.isArray(before) !== Array.isArray(next)) return next;
	const old = before as Record<string, unknown>;
	const fresh = next as Record<string, unknown>;
	const keys = Object.keys(fresh);
	let same = keys.length === Object.keys(old).length;
	const merged: Record<string, unknown> = Array.isArray(next) ? ([] as unknown as Record<string, unknown>) : {};
	for (const key of keys) {
		merged[key] = Object.hasOwn(old, key) ? keep(old[key], fresh[key]) : fresh[key];
		if (!Object.hasOwn(old, key) || !Object.is(merged[key], old[key])) same = false;
	}
	return same ? before : (merged as T);
}

function isBranch(value: unknown): value is object {
	return typeof value === 'object' && value !== null;
}
