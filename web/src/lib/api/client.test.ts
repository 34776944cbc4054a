import { afterEach, describe, expect, it, vi } from 'vitest';
import { api, apiPath, asProblem, Problem, sentence, whenUnauthenticated } from './client';

function answer(status: number, body?: unknown, headers: Record<string, string> = {}) {
	vi.stubGlobal('fetch', async () => new Response(body === undefined ? null : JSON.stringify(body), { status, headers }));
}

async function refusal(): Promise<Problem> {
	try {
		await api.get('/me');
	} catch (thrown) {
		return asProblem(thrown);
	}
	throw new Error('was not refused');
}

afterEach(() => vi.unstubAllGlobals());

describe('apiPath', () => {
	it('leaves out what is not asked', () => {
		expect(apiPath('/admin/users', { q: '', after: undefined, limit: 50 })).toBe('/api/v1/admin/users?limit=50');
		expect(apiPath('/audit', { q: 'a&b' })).toBe('/api/v1/audit?q=a%26b');
	});
});

describe('api', () => {
	it('gives the body, and nothing for 204', async () => {
		answer(200, { id: 'u1' });
		expect(await api.get('/me')).toEqual({ id: 'u1' });
		answer(204);
		expect(await api.delete('/session')).toBeUndefined();
	});

	it('keeps the server’s code, field and wait', async () => {
		answer(429, { status: 429, code: 'slow_down', retry_after: 95 });
		expect(await refusal()).toMatchObject({ status: 429, code: 'slow_down', retryAfter: 95 });
		answer(422, { status: 422, code: 'name_invalid', field: 'name' });
		expect(await refusal()).toMatchObject({ code: 'name_invalid', field: 'name' });
	});

	it('takes the wait from the header where a proxy slows down', async () => {
		vi.stubGlobal('fetch', async () => new Response('<h1>no</h1>', { status: 429, headers: { 'Retry-After': '7' } }));
		expect(await refusal()).toMatchObject({ code: 'slow_down', retryAfter: 7 });
	});

	it('says when nobody is signed in, but not for a wrong password', async () => {
		const left = vi.fn();
		whenUnauthenticated(left);
		answer(401, { status: 401, code: 'invalid_credentials' });
		await refusal();
		expect(left).not.toHaveBeenCalled();
		answer(401, { status: 401, code: 'not_signed_in' });
		await refusal();
		expect(left).toHaveBeenCalledOnce();
		whenUnauthenticated(() => {});
	});
});

describe('sentence', () => {
	it('falls back to the server’s words for a code it does not know', () => {
		expect(sentence(new Problem({ status: 409, code: 'brand_new', detail: 'Say it.' }))).toBe('Say it.');
	});

	it('tells a camera of the same name from a file of the same name', () => {
		const taken = (field: string) => sentence(new Problem({ status: 422, code: 'name_taken', field }));
		expect(taken('items[1].name')).not.toBe(taken('name'));
		expect(taken('name')).toBe(taken('new_path'));
	});

	it('tells a wrong log-in from a wrong password', () => {
		const login = sentence(new Problem({ status: 401, code: 'invalid_credentials' }));
		const proof = sentence(new Problem({ status: 403, code: 'invalid_credentials' }));
		expect(login).not.toBe(proof);
	});
});
