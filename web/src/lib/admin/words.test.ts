import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AuditEntry } from '$lib/api/types';
import { locale } from '$lib/i18n/locale.svelte';
import { actionWords, resultWords } from './words';

const root = join(import.meta.dirname, '../../../..');

/** The server's Go files, but for tests. */
function sources(folder: string): string[] {
	return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
		const path = join(folder, entry.name);
		if (entry.isDirectory()) return sources(path);
		return entry.name.endsWith('.go') && !entry.name.endsWith('_test.go') ? [path] : [];
	});
}

/** All actions that the server can write into its audit, as its sources name them. can.go names rights the same way. */
function written(): string[] {
	const found = new Set<string>();
	for (const path of sources(join(root, 'internal/server'))) {
		if (path.endsWith('workspace/can.go') || path.includes('/certs/')) continue;
		const text = readFileSync(path, 'utf8');
		for (const [, action] of text.matchAll(/"((?:session|user|token|setup_code|invitation|member|workspace|printer|file|folder|failures|camera)\.[a-z_]+)"/g)) found.add(action!);
		for (const [, table] of text.matchAll(/s\.replace\(ctx, workspaceID, "([a-z_]+)"/g)) found.add(`workspace.${table}`);
	}
	const commands = readFileSync(join(root, 'internal/wire/command.go'), 'utf8');
	for (const [, type] of commands.matchAll(/CommandType = "([a-z_]+)"/g)) found.add(`command.${type}`);
	return [...found].sort();
}

function results(): AuditEntry['result'][] {
	const text = readFileSync(join(root, 'internal/server/audit/audit.go'), 'utf8');
	return [...text.matchAll(/Result = "([a-z]+)"/g)].map(([, result]) => result as AuditEntry['result']);
}

beforeEach(() => (locale.current = 'ko'));

describe('the audit in words', () => {
	it('is found in the sources', () => {
		expect(written()).toEqual(expect.arrayContaining(['session.login', 'file.upload', 'workspace.macros', 'command.pause', 'command.send_file']));
		expect(results()).toEqual(['ok', 'refused', 'failed', 'pending', 'unknown']);
	});

	it.each(written())('%s has words', (action) => {
		for (const language of ['ko', 'en'] as const) {
			locale.current = language;
			const words = actionWords({ action });
			expect(words).not.toContain(action);
			if (action.startsWith('command.')) expect(words).not.toContain(action.slice('command.'.length));
		}
	});

	it.each(results())('the result %s has words', (result) => {
		expect(resultWords(result)).not.toBe(result);
	});

	it('say what a command was', () => {
		expect(actionWords({ action: 'command.set_temperature', detail: { command: { type: 'set_temperature', tool: 0, temperature: 215 } } })).toBe('명령: 노즐 목표 215 °C');
	});
});
