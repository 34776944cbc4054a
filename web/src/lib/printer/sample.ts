import type { Printer } from '$lib/api/types';

/** A printer for tests: idle, connected, nothing wrong. */
export function samplePrinter(changes: Partial<Printer> = {}): Printer {
	return {
		id: 'p1',
		uuid: '3f2b8c1e-9a4d-4e7b-8c21-5d6f7a8b9c0d',
		name: 'Voron 2.4',
		description: '',
		workspace: { id: 'w1', name: '작업실' },
		role: 'owner',
		pending: false,
		uuid_login: false,
		unauthenticated: false,
		created_at: '2026-11-01T00:00:00Z',
		online: true,
		last_seen: '2026-11-23T09:00:00Z',
		reported_at: '2026-11-23T09:00:00Z',
		interval: 1,
		stale: false,
		status: 'idle',
		attention: [],
		state: { text: 'Operational', flags: {} },
		progress: { completion: null, print_time: null, time_left: null },
		job: null,
		last_job: null,
		temperatures: {},
		overrides: {},
		connection: {},
		agent: null,
		cameras: [],
		...changes
	};
}
