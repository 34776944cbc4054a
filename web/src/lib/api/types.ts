/** What the server sends, named as in its OpenAPI. Times are RFC 3339 UTC, temperatures °C, lengths mm, durations s. */

export type Language = 'ko' | 'en';
export type Role = 'owner' | 'operator' | 'viewer';

export interface Items<T> {
	items: T[];
	next?: string;
}

export interface ServerInfo {
	version: string;
	setup_required: boolean;
	signup: 'setup' | 'open' | 'invitation';
	mail: boolean;
	uuid_login: boolean;
	public_url: string;
	mqtt: { host: string; port: number; tls: boolean; websocket_path: string };
}

/** How OctoPrint gets the plugin of this server. */
export interface Install {
	version: string;
	zip_url: string;
	/** public: OctoPrint trusts it; plain: no TLS; private: OctoPrint refuses it. */
	security: 'public' | 'plain' | 'private';
	zip_sha256: string;
	/** The same zip at the page's own address. */
	zip_path: string;
	platforms: string[];
}

/** A code that signs a plugin in, or that a printer is taken over with. */
export interface Code {
	code: string;
	expires_at: string;
}

/** What is known of a UUID under which no printer may be seen. */
export interface Setup {
	state: 'new' | 'here' | 'removed' | 'replaced';
	name?: string;
	/** Of the device that took its place. */
	uuid?: string;
	at?: string;
}

export interface User {
	id: string;
	email: string;
	pending_email?: string;
	name: string;
	language: Language;
	time_zone: string;
	admin: boolean;
	created_at: string;
	workspace: { id: string; name: string };
}

export interface Workspace {
	id: string;
	name: string;
	role: Role;
	personal: boolean;
}

export interface Session {
	id: string;
	current: boolean;
	created_at: string;
	last_seen: string;
	address: string;
	user_agent: string;
}

export interface ApiToken {
	id: string;
	name: string;
	prefix: string;
	created_at: string;
	expires_at?: string;
	last_used_at?: string;
	/** Only in the answer to its creation. */
	token?: string;
}

export interface AuditEntry {
	id: string;
	at: string;
	actor: string;
	actor_id?: string;
	on_behalf_of?: string;
	via: string;
	address: string;
	action: string;
	target: { kind: string; id?: string; name?: string };
	result: 'ok' | 'refused' | 'failed' | 'pending' | 'unknown';
	detail?: unknown;
}

export interface AdminUser extends User {
	disabled: boolean;
	last_seen?: string;
}

export interface Invitation {
	id: string;
	email?: string;
	url?: string;
	token?: string;
	/** It is on its way by mail, too. */
	mailed?: boolean;
	created_at?: string;
	expires_at: string;
}

export interface AdminServer {
	version: string;
	started_at: string;
	public_url: string;
	data_dir: string;
	http: string;
	https: string;
	mqtts: string;
	mqtt: string;
	mail_from: string;
	smtp_host: string;
	uuid_login: boolean;
	webrtc: string;
	webrtc_addresses: string[];
	turn: string[];
	rtsp: string;
	ffmpeg: string;
	certificate?: { source: string; names: string[]; not_after: string; sha256: string; authority_sha256: string };
	counts: { users: number; printers: number; online: number; connections: number };
	database: { bytes: number };
}

export type PrinterStatus =
	| 'offline'
	| 'connecting'
	| 'idle'
	| 'heating'
	| 'printing'
	| 'pausing'
	| 'paused'
	| 'resuming'
	| 'cancelling'
	| 'finishing'
	| 'error'
	| 'unknown';

export interface Temperature {
	actual: number | null;
	target: number | null;
}

export interface JobFile {
	name: string;
	origin: string;
	path: string;
	size: number | null;
}

export interface Job {
	id?: string;
	file: JobFile | null;
	estimated_time?: number | null;
	last_time?: number | null;
	started_at?: string;
	filament?: Record<string, { length?: number; volume?: number }> | null;
}

export interface LastJob {
	id: string;
	file_name: string;
	result: 'done' | 'failed' | 'cancelled';
	started_at: string;
	ended_at: string | null;
	print_time: number | null;
}

export interface PrinterConnection {
	state?: string;
	port?: string | null;
	baudrate?: number | null;
	profile?: {
		id?: string;
		name?: string;
		model?: string;
		volume?: { width?: number; depth?: number; height?: number };
		heatedBed?: boolean;
	} | null;
}

export interface Agent {
	version: string;
	proto: number;
	caps: string[];
	octoprint?: string;
	python?: string;
	os?: string;
	host?: string;
	since?: string;
}

export interface Camera {
	id: string;
	name: string;
	/** Only for the owner. */
	stream_url?: string;
	rotation?: number;
	flip_h?: boolean;
	flip_v?: boolean;
	/** Whether MJPEG is turned into H.264 beside the printer; auto, when its uplink needs it, if there is none. */
	encode?: 'auto' | 'always' | 'never';
	/** Most that the camera may take of the printer's uplink; 0 or none: no limit. */
	max_kbps?: number;
}

/** What is known of a camera's stream: where it stands, and why there is no picture. */
export interface CameraInfo {
	state: string;
	kind?: string;
	codec?: string;
	width?: number;
	height?: number;
	fps?: number;
	/** From the camera to the server, ms. */
	delay_ms?: number;
	/** Ways that this stream can take to a page, best first. */
	rungs: { rung: 'whep' | 'hls' | 'mjpeg' | 'picture'; possible: boolean; error?: CameraError }[];
	/** Relays for WebRTC, with a login that is good for an hour. */
	ice_servers?: RTCIceServer[];
	viewers?: number;
	/** The server's clock, Unix ms. */
	now?: number;
	kbps?: number;
	/** What it may take of the printer's uplink now. */
	max_kbps?: number;
	/** Of ffmpeg beside the printer, and why it encodes. */
	encoder?: string;
	encoded?: 'always' | 'budget' | 'uplink' | 'codec';
	/** What the camera's own pictures would take. */
	needs_kbps?: number;
	error?: CameraError;
}

export interface CameraError {
	code: string;
	message: string;
	cure: string;
	/** ffmpeg's last words. */
	lines?: string;
}

export interface Printer {
	id: string;
	uuid: string;
	name: string;
	description: string;
	workspace: { id: string; name: string };
	role: Role;
	pending: boolean;
	uuid_login: boolean;
	/** Connected by its UUID alone. */
	unauthenticated: boolean;
	created_at: string;
	online: boolean;
	connected_since?: string;
	last_seen?: string;
	reported_at?: string;
	/** `reported_at` by the device's own clock, which may be wrong. */
	device_time?: string;
	/** Seconds between two reports of this device. */
	interval: number;
	stale: boolean;
	status: PrinterStatus;
	/** A file on its way to the printer or from it. */
	transfer?: {
		id: string;
		name: string;
		direction: 'to_printer' | 'to_library';
		target: 'local' | 'sdcard';
		print: boolean;
		stage: 'waiting' | 'fetching' | 'checking' | 'uploading' | 'starting';
		bytes: number;
		total: number;
	};
	/** Since when it has this status. */
	status_since?: string;
	attention: string[];
	state: { text: string; flags: Record<string, boolean> };
	progress: {
		completion: number | null;
		print_time: number | null;
		time_left: number | null;
		time_left_origin?: string | null;
		/** When the job is likely to end, server clock. */
		finish_at?: string;
		filepos?: number | null;
		file_size?: number | null;
	};
	job: Job | null;
	last_job: LastJob | null;
	temperatures: Record<string, Temperature>;
	current_z?: number | null;
	axes?: Record<string, number | null>;
	overrides: Record<string, number | null>;
	connection: PrinterConnection;
	agent: Agent | null;
	cameras: Camera[];
	/** What they may take of its uplink together, kbit/s; none: no limit. */
	uplink_kbps?: number;
}

export interface PrinterEvent {
	id: string;
	at: string;
	received_at: string;
	/** When it happened by the device's own clock, where that is wrong. */
	device_at?: string;
	type: string;
	epoch?: string;
	seq?: number;
	job?: string;
	data?: Record<string, unknown>;
}

export interface History {
	from: string;
	to: string;
	step: 10 | 60 | 600;
	/** Unix seconds. */
	t: number[];
	columns: Record<string, (number | string | null)[]>;
}

export interface PrintJob {
	id: string;
	file_name: string;
	origin: string;
	path: string;
	size: number | null;
	started_at: string;
	ended_at?: string;
	result?: 'done' | 'failed' | 'cancelled';
	print_time?: number | null;
	completion?: number | null;
}
