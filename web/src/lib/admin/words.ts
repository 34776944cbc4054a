/** The server's own codes as words: what was done, by which way, with what result. */
import type { AuditEntry } from '$lib/api/types';
import type { SomeCommand } from '$lib/control/command';
import { describe } from '$lib/control/describe';
import { m } from '$lib/paraglide/messages';

const actions: Record<string, () => string> = {
	'session.login': m.admin_action_login,
	'session.end': m.admin_action_session_end,
	'session.end_all': m.admin_action_session_end_all,
	'user.signup': m.admin_action_signup,
	'user.add': m.admin_action_user_add,
	'user.change': m.admin_action_user_change,
	'user.email': m.admin_action_user_email,
	'user.email_request': m.admin_action_user_email_request,
	'user.password_set': m.admin_action_user_password_set,
	'user.password': m.admin_action_user_password,
	'user.password_reset': m.admin_action_user_password_reset,
	'user.set': m.admin_action_user_set,
	'user.delete': m.admin_action_user_delete,
	'token.create': m.admin_action_token_add,
	'token.delete': m.admin_action_token_remove,
	'setup_code.create': m.admin_action_setup_code_create,
	'setup_code.redeem': m.admin_action_setup_code_redeem,
	'invitation.create': m.admin_action_invitation_create,
	'invitation.withdraw': m.admin_action_invitation_withdraw,
	'member.invite': m.admin_action_member_invite,
	'member.uninvite': m.admin_action_member_uninvite,
	'member.join': m.admin_action_member_join,
	'member.role': m.admin_action_member_role,
	'member.remove': m.admin_action_member_remove,
	'workspace.rename': m.admin_action_workspace_rename,
	'printer.create': m.admin_action_printer_add,
	'printer.complete': m.admin_action_printer_complete,
	'printer.edit': m.admin_action_printer_edit,
	'printer.replace': m.admin_action_printer_replace,
	'printer.token': m.admin_action_printer_token,
	'printer.cameras': m.admin_action_printer_cameras,
	'printer.acknowledge': m.admin_action_printer_acknowledge,
	'printer.remove': m.admin_action_printer_remove,
	'printer.offer': m.admin_action_printer_offer,
	'printer.withdraw': m.admin_action_printer_withdraw,
	'printer.left': m.admin_action_printer_left,
	'printer.accept': m.admin_action_printer_accept,
	'printer.limits': m.admin_action_printer_limits,
	'file.upload': m.admin_action_file_upload,
	'file.edit': m.admin_action_file_edit,
	'file.delete': m.admin_action_file_delete,
	'file.to_printer': m.admin_action_file_to_printer,
	'file.to_library': m.admin_action_file_to_library,
	'folder.move': m.admin_action_folder_move,
	'workspace.macros': m.admin_action_macros,
	'workspace.temperature_presets': m.admin_action_presets,
	'failures.many': m.admin_action_failures_many
};

/** What was done. An action nobody has put into words yet shows its code. */
export function actionWords(entry: Pick<AuditEntry, 'action' | 'detail'>): string {
	const own = actions[entry.action];
	if (own) return own();
	if (!entry.action.startsWith('command.')) return entry.action;
	const given = (entry.detail as { command?: SomeCommand } | undefined)?.command;
	return m.admin_action_command({ what: describe(given?.type ? given : { type: entry.action.slice('command.'.length) }) });
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

type Tone = 'done' | 'paused' | 'error' | 'idle';

const results: Record<AuditEntry['result'], { words: () => string; tone: Tone }> = {
	ok: { words: m.admin_result_ok, tone: 'done' },
	refused: { words: m.admin_result_refused, tone: 'paused' },
	failed: { words: m.admin_result_failed, tone: 'error' },
	pending: { words: m.admin_result_pending, tone: 'idle' },
	unknown: { words: m.admin_result_unknown, tone: 'paused' }
};

export function resultWords(result: AuditEntry['result']): string {
	return results[result]?.words() ?? result;
}

export function resultTone(result: AuditEntry['result']): Tone {
	return results[result]?.tone ?? 'error';
}

/** Where the server's certificate comes from. */
export function certificateSource(source: string): string {
	if (source === 'own') return m.admin_certificate_own();
	if (source === 'acme') return m.admin_certificate_acme();
	return m.admin_certificate_given();
}
