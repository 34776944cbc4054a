import { m } from '$lib/paraglide/messages';
import { spokenWait } from '$lib/i18n/format.svelte';

/** What the server says when it refuses: RFC 9457 with our stable `code`. */
export interface ProblemBody {
	type?: string;
	title?: string;
	status: number;
	detail?: string;
	code: string;
	/** The field of the request that is wrong, when one is. */
	field?: string;
	errors?: { field?: string; location?: string; code?: string; message?: string }[];
	/** Which of several reasons it is, with some codes. */
	reason?: string;
	/** Seconds until the same request may be tried again. */
	retry_after?: number;
}

/** A refused or failed call. `code` is the server's, or `unreachable` when no answer came. */
export class Problem extends Error {
	readonly status: number;
	readonly code: string;
	readonly field?: string;
	readonly retryAfter?: number;
	readonly body: ProblemBody;

	constructor(body: ProblemBody) {
		super(body.detail || body.title || body.code);
		this.name = 'Problem';
		this.body = body;
		this.status = body.status;
		this.code = body.code;
		this.field = body.field ?? body.errors?.[0]?.field;
		this.retryAfter = body.retry_after;
	}
}

/** Any thrown thing as a Problem, so that a page handles one kind. */
export function asProblem(thrown: unknown): Problem {
	if (thrown instanceof Problem) return thrown;
	return new Problem({ status: 0, code: 'unexpected', detail: thrown instanceof Error ? thrown.message : String(thrown) });
}

/** What is wrong with a camera's address, by the server's reason. */
const addresses: Record<string, () => string> = {
	empty: () => m.camera_url_empty(),
	character: () => m.camera_url_character(),
	malformed: () => m.camera_url_malformed(),
	scheme: () => m.camera_url_scheme(),
	host: () => m.camera_url_host(),
	device: () => m.camera_url_device()
};

const sentences: Record<string, (p: Problem) => string> = {
	unreachable: () => m.common_error_unreachable(),
	unexpected: () => m.common_error_unexpected(),
	internal: () => m.common_error_internal(),
	invalid: (p) => (p.field ? m.common_error_invalid_field() : m.common_error_invalid()),
	too_many: () => m.common_error_too_many(),
	expires_invalid: () => m.account_error_expires_invalid(),
	not_found: () => m.common_error_not_found(),
	not_allowed: () => m.common_error_not_allowed(),
	not_signed_in: () => m.common_error_unauthenticated(),
	slow_down: (p) =>
		p.retryAfter ? m.common_error_slow_down({ wait: spokenWait(p.retryAfter) }) : m.common_error_slow_down_some(),
	rate_limited: () => m.common_error_slow_down_some(),
	busy: () => m.common_error_busy(),
	cross_origin: () => m.common_error_cross_origin(),
	own_account: () => m.admin_error_own_account(),
	stream_url_invalid: (p) => (addresses[p.body.reason ?? ''] ?? m.common_error_invalid_field)(),
	time_zone_invalid: () => m.account_error_time_zone_invalid(),
	too_large: () => m.common_error_too_large(),
	email_invalid: () => m.auth_error_email_invalid(),
	email_unverified: () => m.auth_error_email_unverified(),
	email_taken: () => m.auth_error_email_taken(),
	name_invalid: () => m.auth_error_name_invalid(),
	password_weak: () => m.auth_error_password_weak(),
	password_wrong: () => m.auth_error_password_wrong(),
	// 401 at log-in; 403 where a signed-in person has to prove it again.
	invalid_credentials: (p) => (p.status === 403 ? m.auth_error_password_wrong() : m.auth_error_invalid_credentials()),
	session_required: () => m.common_error_not_allowed(),
	account_disabled: () => m.auth_error_account_disabled(),
	setup_code_wrong: () => m.auth_error_setup_code_wrong(),
	invitation_invalid: () => m.auth_error_invitation_invalid(),
	signup_closed: () => m.auth_error_signup_closed(),
	token_invalid: () => m.auth_error_token_invalid(),
	token_expired: () => m.auth_error_token_expired(),
	last_admin: () => m.account_error_last_admin(),
	mail_not_configured: () => m.common_error_mail_not_configured(),
	admin_only: () => m.admin_only(),
	mail_failed: () => m.admin_error_mail_failed(),
	uuid_taken: () => m.common_error_uuid_taken(),
	uuid_invalid: () => m.common_error_uuid_invalid(),
	uuid_in_use: () => m.printer_replace_in_use(),
	uuid_same: () => m.printer_replace_same(),
	transfer_invalid: () => m.transfer_invalid(),
	transfer_same: () => m.transfer_same(),
	too_many_printers: () => m.common_error_too_many_printers(),
	device_offline: () => m.common_error_device_offline(),
	device_timeout: () => m.control_fail_timeout(),
	not_now: () => m.control_fail_not_now(),
	out_of_range: () => m.common_error_out_of_range(),
	not_supported: () => m.control_why_plugin_cannot(),
	stopping: () => m.common_error_busy(),
	quota_exceeded: () => m.file_error_quota(),
	disk_full: () => m.file_error_disk(),
	name_taken: (p) => (p.field?.startsWith('items[') ? m.camera_error_name_taken() : m.file_error_name_taken()),
	max_kbps_invalid: () => m.camera_error_kbps(),
	uplink_kbps_invalid: () => m.camera_error_kbps(),
	camera_unknown: () => m.camera_error_gone(),
	too_many_viewers: () => m.camera_error_full(),
	not_empty: () => m.file_error_not_empty(),
	no_folder: () => m.file_error_no_folder(),
	no_file: () => m.file_error_no_file(),
	inside_itself: () => m.file_error_inside(),
	too_deep: () => m.file_error_deep(),
	checksum: () => m.file_error_checksum(),
	not_gcode: () => m.file_error_not_gcode(),
	cut_off: () => m.file_error_cut_off(),
	damaged: () => m.file_error_damaged(),
	hostile: () => m.file_error_hostile(),
	unsupported: () => m.file_error_unsupported(),
	too_many_lines: () => m.file_error_too_long(),
	too_many_layers: () => m.file_error_too_long(),
	too_many_thumbnails: () => m.file_error_hostile(),
	analysis_failed: () => m.file_error_analysis(),
	empty: () => m.file_error_empty(),
	name_empty: () => m.file_error_name_empty(),
	name_too_long: () => m.file_error_name_long(),
	name_path: () => m.file_error_name_path(),
	name_character: () => m.file_error_name_character(),
	name_hidden: () => m.file_error_name_hidden(),
	name_reserved: () => m.file_error_name_reserved(),
	name_extension: () => m.file_error_name_extension(),
	tag_invalid: () => m.file_error_tag(),
	does_not_fit: () => m.file_error_fit(),
	file_refused: () => m.file_error_refused(),
	analysis_waiting: () => m.file_error_waiting(),
	agent_too_old: () => m.file_error_old_agent(),
	transfer_under_way: () => m.file_error_under_way(),
	already_ended: () => m.file_error_ended(),
	no_transfer: () => m.file_error_ended()
};

/** The sentence for a person, in their language. A code without one falls back to what the server wrote. */
export function sentence(problem: Problem): string {
	const own = sentences[problem.code];
	if (own) return own(problem);
	return problem.body.detail || m.common_error_unexpected();
}
