import { describe, expect, it } from 'vitest';
import type { ServerInfo } from '$lib/api/types';
import { agentCommands, agentServer, doorOf, pluginConfig, shellWord } from './connect';

const info = { public_url: '', mqtt: { host: '', port: 8883, tls: true, websocket_path: '/mqtt' } } as ServerInfo;
const uuid = '3f2b8c1e-9a4d-4e7b-8c21-5d6f7a8b9c0d';

describe('pluginConfig', () => {
	it('has every setting that the published plugin needs', () => {
		const block = pluginConfig(doorOf(info, 'factor.local'), uuid, 'fdt_x');
		expect(block).toBe(`plugins:
  octoprint_factor:
    broker_host: factor.local
    broker_port: 8883
    broker_username: ${uuid}
    broker_password: fdt_x
    broker_use_tls: true
    broker_tls_ca_cert: /home/pi/.octoprint/factor-ca.crt
    instance_id: ${uuid}
    registered: true`);
	});

	it('asks for no certificate without TLS', () => {
		expect(pluginConfig({ host: 'h', port: 1883, tls: false }, uuid, 't')).not.toContain('ca_cert');
	});
});

describe('agentServer', () => {
	const page = (address: string) => new URL(address);
	it('takes the public address first', () => {
		expect(agentServer({ public_url: 'https://factor.example/' }, page('http://10.0.0.2:8080'))).toBe('https://factor.example');
	});
	it('never sends a password over plain HTTP through the network', () => {
		expect(agentServer({ public_url: '' }, page('http://10.0.0.2:8080'))).toBe('https://10.0.0.2:8443');
		expect(agentServer({ public_url: '' }, page('http://127.0.0.1:8080'))).toBe('http://127.0.0.1:8080');
		expect(agentServer({ public_url: '' }, page('https://printers.lan:8443'))).toBe('https://printers.lan:8443');
	});
});

describe('agentCommands', () => {
	it('quotes what a shell would take apart', () => {
		expect(shellWord("Kim's Voron; rm -rf /")).toBe(`'Kim'\\''s Voron; rm -rf /'`);
		expect(shellWord('jimin@example.org')).toBe('jimin@example.org');
		const commands = agentCommands({ server: 'https://f.example', email: 'a@b.c', name: '내 프린터', keyWord: 'KEY', uuid });
		expect(commands).toContain("--name '내 프린터'");
		expect(commands).toContain(`--uuid ${uuid}`);
		expect(commands.endsWith('\nfactor-agent run')).toBe(true);
	});
});
