/** The server's own codes as words: what was done, by which way, with what result. */
import type { AuditEntry } from '$lib/api/types';
import { m } from '$lib/paraglide/messages';

const actions: Record<string, () => string> = {
	'session.login': m.admin_action_login,
	'session.logout': m.admin_action_logout,
	'session.logout_all': m.admin_action_logout_all,
	'session.end': m.admin_action_session_end,
	'user.signup': m.admin_action_signup,
	'user.verify': m.admin_action_verify,
	'user.add': m.admin_action_user_add,
	'user.edit': m.admin_action_user_edit,
	'user.delete': m.admin_action_user_delete,
	'token.add': m.admin_action_token_add,
	'token.remove': m.admin_action_token_remove,
	'printer.add': m.admin_action_printer_add,
	'printer.edit': m.admin_action_printer_edit,
	'printer.remove': m.admin_action_printer_remove
};

/** An action nobody has put into words yet shows its code. */
export function actionWords(action: string): string {
	return actions[action]?.() ?? action;
}

const ways: Record<string, () => string> = {
	session: m.admin_via_session,
	token: m.admin_via_token,
	plugin: m.admin_via_plugin,
	device: m.admin_via_device,
	system: m.admin_via_system
};

export function viaWords(via: string): string {
	return ways[via]?.() ?? via;
}

const results: Record<AuditEntry['result'], { words: () => string; tone: 'done' | 'paused' | 'error' }> = {
	ok: { words: m.admin_result_ok, tone: 'done' },
	refused: { words: m.admin_result_refused, tone: 'paused' },
	failed: { words: m.admin_result_failed, tone: 'error' }
};

export function resultWords(result: AuditEntry['result']): string {
	return results[result]?.words() ?? result;
}

export function resultTone(result: AuditEntry['result']): 'done' | 'paused' | 'error' {
	return results[result]?.tone ?? 'error';
}

/** Where the server's certificate comes from. */
export function certificateSource(source: string): string {
	if (source === 'own') return m.admin_certificate_own();
	if (source === 'acme') return m.admin_certificate_acme();
	return m.admin_certificate_given();
}
