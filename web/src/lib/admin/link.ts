import type { Invitation } from '$lib/api/types';

/** The link to hand on. Without a public address the server gives a path, and this page's own address goes before it. */
export function invitationLink(invitation: Pick<Invitation, 'url' | 'token'>, origin: string): string {
	const path = invitation.url || `/login?invitation=${encodeURIComponent(invitation.token ?? '')}`;
	return new URL(path, origin).href;
}
