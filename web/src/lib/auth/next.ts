/** Where to go after login. Only a path of this site: a link that leads elsewhere is not followed. */
export function nextPath(next: string | null | undefined, fallback = '/printers'): string {
	if (!next || !next.startsWith('/') || next.startsWith('//') || next.includes('\\')) return fallback;
	// Browsers drop control characters out of an address: "/\t/evil" would become "//evil".
	if ([...next].some((sign) => sign.charCodeAt(0) < 0x20)) return fallback;
	const path = next.split(/[?#]/)[0];
	if (path === '/' || path === '/login' || path === '/welcome') return fallback;
	return next;
}
