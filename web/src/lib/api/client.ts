import { serverClock } from '$lib/live/clock.svelte';
import { reach } from '$lib/reach.svelte';
import { Problem, type ProblemBody } from './problem';

export { Problem, asProblem, sentence } from './problem';

export interface CallOptions {
	query?: Record<string, string | number | boolean | undefined | null>;
	signal?: AbortSignal;
	headers?: Record<string, string>;
	/** A call nobody clicked for (a poll): its failure raises no banner. */
	quiet?: boolean;
}

/** Called when the server says that nobody is signed in (any more). Set once by the session. */
let onUnauthenticated: () => void = () => {};
export function whenUnauthenticated(fn: () => void): void {
	onUnauthenticated = fn;
}

export function apiPath(path: string, query?: CallOptions['query']): string {
	const search = new URLSearchParams();
	for (const [key, value] of Object.entries(query ?? {})) {
		if (value !== undefined && value !== null && value !== '') search.set(key, String(value));
	}
	const tail = search.toString();
	return `/api/v1${path}${tail ? `?${tail}` : ''}`;
}

/** The answer of a refused request as a Problem, whatever stands between us and the server. */
export async function problemFrom(response: Response): Promise<Problem> {
	let body: Partial<ProblemBody> = {};
	try {
		const parsed: unknown = await response.json();
		if (parsed && typeof parsed === 'object') body = parsed as Partial<ProblemBody>;
	} catch {
		// A proxy's HTML page: the status is all there is to go by.
	}
	const retry = Number(body.retry_after ?? response.headers.get('Retry-After'));
	return new Problem({
		...body,
		status: response.status,
		code: body.code ?? codeOf(response.status),
		retry_after: Number.isFinite(retry) && retry > 0 ? retry : undefined
	});
}

function codeOf(status: number): string {
	if (status === 401) return 'not_signed_in';
	if (status === 403) return 'not_allowed';
	if (status === 404) return 'not_found';
	if (status === 413) return 'too_large';
	if (status === 422 || status === 400) return 'invalid';
	if (status === 429) return 'slow_down';
	if (status === 502 || status === 503 || status === 504) return 'unreachable';
	return 'internal';
}

async function call<T>(method: string, path: string, body?: unknown, options: CallOptions = {}): Promise<T> {
	let response: Response;
	const sent = performance.now();
	try {
		response = await fetch(apiPath(path, options.query), {
			method,
			credentials: 'same-origin',
			signal: options.signal,
			headers: {
				Accept: 'application/json',
				...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
				...options.headers
			},
			body: body === undefined ? undefined : JSON.stringify(body)
		});
	} catch (thrown) {
		if (options.signal?.aborted) throw thrown;
		if (!options.quiet) reach.lost();
		throw new Problem({ status: 0, code: 'unreachable' });
	}
	serverClock.heard(response.headers.get('Date'), performance.now() - sent);
	if (!response.ok) {
		const problem = await problemFrom(response);
		if (problem.code === 'unreachable') {
			if (!options.quiet) reach.lost();
		} else {
			reach.answered();
		}
		if (problem.code === 'not_signed_in') onUnauthenticated();
		throw problem;
	}
	reach.answered();
	if (response.status === 204 || response.headers.get('Content-Length') === '0') return undefined as T;
	const text = await response.text();
	return (text ? JSON.parse(text) : undefined) as T;
}

/** Calls under `/api/v1`. Each rejects with a Problem. */
export const api = {
	get: <T>(path: string, options?: CallOptions) => call<T>('GET', path, undefined, options),
	post: <T>(path: string, body?: unknown, options?: CallOptions) => call<T>('POST', path, body, options),
	put: <T>(path: string, body?: unknown, options?: CallOptions) => call<T>('PUT', path, body, options),
	patch: <T>(path: string, body?: unknown, options?: CallOptions) => call<T>('PATCH', path, body, options),
	delete: <T = void>(path: string, body?: unknown, options?: CallOptions) => call<T>('DELETE', path, body, options)
};
