import type { DetailedError, Upload as Tus } from 'tus-js-client';
import { Problem } from '$lib/api/client';
import type { ProblemBody } from '$lib/api/problem';
import { session } from '$lib/session.svelte';
import { forget, keep, kept, type Kept } from './kept';
import { randomKey } from '$lib/random';
import { Speed } from './speed';

/** Uploads at a time: more share the same line and finish no sooner. */
const AT_ONCE = 2;
const CHUNK = 16 << 20;
/** After a lost connection, ms; the last one again and again. */
const RETRIES = [500, 1_000, 2_000, 5_000, 10_000, 15_000];
const SAMPLE = 500;

/** What an upload is doing. lost: the connection is away, and it goes on by itself. */
export type UploadState = 'waiting' | 'sending' | 'lost' | 'checking' | 'done' | 'failed' | 'file_needed';

/** One file on its way into the library. */
export class Upload {
	readonly id: string;
	readonly name: string;
	readonly size: number;
	readonly folder: string;
	readonly workspace: string | undefined;
	state = $state<UploadState>('waiting');
	sent = $state(0);
	/** Bytes per second. */
	speed = $state<number | undefined>();
	problem = $state.raw<Problem | undefined>();
	/** Of the file in the library, once it is there. */
	fileId = $state<string | undefined>();

	file: File | undefined;
	url: string | undefined;
	tus: Tus | undefined;
	attempts = 0;
	retry: ReturnType<typeof setTimeout> | undefined;
	readonly meter = new Speed();

	constructor(from: Kept) {
		this.id = from.id;
		this.name = from.name;
		this.size = from.size;
		this.folder = from.folder;
		this.workspace = from.workspace;
		this.file = from.file;
		this.url = from.url;
		if (!from.file) this.state = 'file_needed';
	}

	/** Seconds until it is there. */
	get left(): number | undefined {
		return this.speed ? (this.size - this.sent) / this.speed : undefined;
	}

	get active(): boolean {
		return this.state === 'waiting' || this.state === 'sending' || this.state === 'lost' || this.state === 'checking';
	}
}

/** All uploads of this page, wherever one goes in it meanwhile. */
class Uploads {
	list = $state<Upload[]>([]);
	#begun = false;
	#heard = new Set<() => void>();

	/** Takes up again what a reload has interrupted. Once a page. */
	async begin(): Promise<void> {
		if (this.#begun) return;
		this.#begun = true;
		addEventListener('online', () => this.#wake());
		addEventListener('beforeunload', (event) => {
			// What the browser could not keep would have to be chosen again.
			if (this.list.some((upload) => upload.active && upload.size > 512 << 20)) event.preventDefault();
		});
		for (const old of await kept()) {
			if (old.user !== session.me?.id || this.list.some((upload) => upload.id === old.id)) continue;
			this.list.push(new Upload(old));
		}
		this.#next();
	}

	add(files: Iterable<File>, folder: string, workspace?: string): void {
		for (const file of files) {
			const waiting = this.list.find((upload) => upload.state === 'file_needed' && upload.name === file.name && upload.size === file.size);
			if (waiting) {
				waiting.file = file;
				waiting.state = 'waiting';
				continue;
			}
			const upload = new Upload({ id: randomKey(), name: file.name, size: file.size, folder, workspace, file });
			this.list.push(upload);
			void this.#keep(upload);
		}
		this.#next();
	}

	/** Ends one; what has been sent of it is thrown away. */
	cancel(upload: Upload): void {
		const ended = upload.state === 'done' || upload.state === 'failed';
		clearTimeout(upload.retry);
		void upload.tus?.abort(!ended).catch(() => {});
		if (!upload.tus && upload.url && !ended) {
			void fetch(upload.url, { method: 'DELETE', headers: { 'Tus-Resumable': '1.0.0' }, credentials: 'same-origin' }).catch(() => {});
		}
		this.list = this.list.filter((other) => other !== upload);
		void forget(upload.id);
		this.#next();
	}

	/** Tries a failed one from its beginning. */
	again(upload: Upload): void {
		upload.problem = undefined;
		upload.url = undefined;
		upload.tus = undefined;
		upload.attempts = 0;
		upload.sent = 0;
		upload.state = upload.file ? 'waiting' : 'file_needed';
		this.#next();
	}

	/** Takes the finished ones off the list. */
	clear(): void {
		this.list = this.list.filter((upload) => upload.active || upload.state === 'file_needed');
	}

	/** Calls fn whenever a file has come into the library. */
	onDone(fn: () => void): () => void {
		this.#heard.add(fn);
		return () => this.#heard.delete(fn);
	}

	#wake(): void {
		for (const upload of this.list) {
			if (upload.state === 'lost') void this.#send(upload);
		}
	}

	#next(): void {
		if (session.state !== 'in') return;
		let running = this.list.filter((upload) => upload.state === 'sending' || upload.state === 'lost' || upload.state === 'checking').length;
		for (const upload of this.list) {
			if (running >= AT_ONCE) return;
			if (upload.state !== 'waiting' || !upload.file) continue;
			running++;
			void this.#send(upload);
		}
	}

	async #send(upload: Upload): Promise<void> {
		if (!upload.file) return;
		clearTimeout(upload.retry);
		upload.state = 'sending';
		const { Upload: Client } = await import('tus-js-client');
		if (!this.list.includes(upload)) return;
		const metadata: Record<string, string> = { filename: upload.name };
		if (upload.folder) metadata.folder = upload.folder;
		if (upload.workspace) metadata.workspace = upload.workspace;
		let sampled = 0;
		upload.meter.clear();
		const client = new Client(upload.file, {
			endpoint: '/api/v1/files',
			uploadUrl: upload.url ?? null,
			chunkSize: CHUNK,
			retryDelays: null, // we decide below: a lost network is waited for without end
			storeFingerprintForResuming: false,
			metadata,
			onUploadUrlAvailable: () => {
				upload.url = client.url ?? undefined;
				void this.#keep(upload);
			},
			onProgress: (sent) => {
				upload.attempts = 0;
				const now = performance.now();
				if (now - sampled < SAMPLE && sent < upload.size) return;
				sampled = now;
				upload.meter.add(sent, now);
				upload.sent = sent;
				upload.speed = upload.meter.value;
				upload.state = sent >= upload.size ? 'checking' : 'sending';
			},
			onSuccess: () => {
				upload.state = 'done';
				upload.sent = upload.size;
				upload.speed = undefined;
				upload.fileId = upload.url?.split('/').at(-1);
				upload.file = undefined;
				void forget(upload.id);
				for (const fn of this.#heard) fn();
				this.#next();
			},
			onError: (error) => this.#failed(upload, error)
		});
		upload.tus = client;
		client.start();
	}

	#failed(upload: Upload, error: Error | DetailedError): void {
		upload.tus = undefined;
		upload.speed = undefined;
		const response = 'originalResponse' in error ? error.originalResponse : null;
		const status = response?.getStatus() ?? 0;
		// Away, overloaded, or still busy with the request that was cut: it goes on by itself.
		if (status === 0 || status === 408 || status === 409 || status === 423 || status === 429 || status >= 500 && status !== 507) {
			upload.state = 'lost';
			const wait = RETRIES[Math.min(upload.attempts++, RETRIES.length - 1)];
			upload.retry = setTimeout(() => void this.#send(upload), wait);
			return;
		}
		let body: Partial<ProblemBody> = {};
		try {
			body = JSON.parse(response?.getBody() ?? '') as Partial<ProblemBody>;
		} catch {
			// A proxy's page: the status has to do.
		}
		if ((status === 404 || status === 410) && upload.url) {
			// The server does not know this upload any more: from the beginning.
			upload.url = undefined;
			upload.sent = 0;
			if (upload.attempts++ < 2) {
				void this.#send(upload);
				return;
			}
		}
		upload.problem = new Problem({ ...body, status, code: body.code ?? 'internal' });
		upload.state = 'failed';
		void forget(upload.id);
		this.#next();
	}

	async #keep(upload: Upload): Promise<void> {
		const { id, name, size, folder, workspace, url, file } = upload;
		if (upload.active) await keep({ id, user: session.me?.id, name, size, folder, workspace, url, file });
		// It may have ended while it was being written.
		if (!upload.active || !this.list.includes(upload)) await forget(id);
	}
}

export const uploads = new Uploads();
