import type { ServerInfo } from '$lib/api/types';

/** What a device has to be told to reach this server. */
export interface Door {
	host: string;
	port: number;
	tls: boolean;
}

/** The server's name is the page's own where the server does not say another. */
export function doorOf(info: ServerInfo, pageHost: string): Door {
	return { host: info.mqtt.host || pageHost, port: info.mqtt.port, tls: info.mqtt.tls };
}

/**
 * The block for OctoPrint's `config.yaml` that makes the published plugin (2.8.5) connect here: it has no fields for
 * these settings in its own page.
 */
export function pluginConfig(door: Door, uuid: string, token: string): string {
	const lines = [
		'plugins:',
		'  octoprint_factor:',
		`    broker_host: ${door.host}`,
		`    broker_port: ${door.port}`,
		`    broker_username: ${uuid}`,
		`    broker_password: ${token}`,
		`    broker_use_tls: ${door.tls}`
	];
	if (door.tls) lines.push('    broker_tls_ca_cert: /home/pi/.octoprint/factor-ca.crt');
	lines.push(`    instance_id: ${uuid}`, '    registered: true');
	return lines.join('\n');
}

/**
 * Where the agent finds this server. It sends a password, so it takes plain HTTP on its own machine only; a page opened
 * over HTTP in the home network is pointed at the default HTTPS port instead.
 */
export function agentServer(info: Pick<ServerInfo, 'public_url'>, page: { protocol: string; hostname: string; origin: string }): string {
	if (info.public_url) return info.public_url.replace(/\/$/, '');
	if (page.protocol === 'https:' || /^(localhost|127\.|\[::1\])/.test(page.hostname)) return page.origin;
	return `https://${page.hostname}:8443`;
}

/** A shell word: quoted when it has to be. */
export function shellWord(text: string): string {
	return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

export interface AgentEnrolment {
	server: string;
	email: string;
	name: string;
	/** What stands in the place of OctoPrint's key. */
	keyWord: string;
	uuid?: string;
}

/** The commands that make the agent serve a printer; the password is asked by the first. */
export function agentCommands(enrolment: AgentEnrolment): string {
	const enrol = [
		'factor-agent enrol',
		`--server ${shellWord(enrolment.server)}`,
		'--octoprint http://127.0.0.1:5000',
		`--api-key ${enrolment.keyWord}`,
		`--name ${shellWord(enrolment.name)}`,
		`--email ${shellWord(enrolment.email)}`
	];
	if (enrolment.uuid) enrol.push(`--uuid ${enrolment.uuid}`);
	return `${enrol.join(' \\\n  ')}\nfactor-agent run`;
}
