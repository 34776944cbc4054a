import type { Install } from '$lib/api/types';

/** What stands behind the address that OctoPrint installs from, as the page says it. */
export type Safety = 'public' | 'here' | 'plain' | 'private';

/** Without TLS an address of this very computer is as safe as any: nobody is on the way. */
export function safetyOf(install: Pick<Install, 'security' | 'zip_url'>): Safety {
	if (install.security !== 'plain') return install.security;
	return isThisComputer(new URL(install.zip_url).hostname) ? 'here' : 'plain';
}

export function isThisComputer(hostname: string): boolean {
	return hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname);
}
