/**
 * Files whose upload is under way, kept in this browser so that a reload goes on with them. Where there is no room, or
 * the browser keeps nothing, the person is asked for the file again.
 */

/** Larger ones are not copied into the browser's own store, bytes. */
const MOST = 512 << 20;

export interface Kept {
	id: string;
	/** Whose upload it is: somebody else on this browser does not go on with it. */
	user?: string;
	name: string;
	size: number;
	folder: string;
	workspace?: string;
	/** Where the upload goes on; undefined until the server has begun it. */
	url?: string;
	file?: File;
}

let opened: Promise<IDBDatabase | undefined> | undefined;

function open(): Promise<IDBDatabase | undefined> {
	opened ??= new Promise((resolve) => {
		if (typeof indexedDB === 'undefined') return resolve(undefined);
		const request = indexedDB.open('factor-uploads', 1);
		request.onupgradeneeded = () => request.result.createObjectStore('uploads', { keyPath: 'id' });
		request.onsuccess = () => resolve(request.result);
		request.onerror = () => resolve(undefined);
	});
	return opened;
}

async function run<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T | undefined> {
	const db = await open();
	if (!db) return undefined;
	return new Promise((resolve) => {
		try {
			const transaction = db.transaction('uploads', mode);
			const request = work(transaction.objectStore('uploads'));
			transaction.oncomplete = () => resolve(request.result);
			transaction.onabort = transaction.onerror = () => resolve(undefined);
		} catch {
			resolve(undefined);
		}
	});
}

export async function keep(upload: Kept): Promise<void> {
	const file = upload.size <= MOST ? upload.file : undefined;
	if (await run('readwrite', (store) => store.put({ ...upload, file }))) return;
	await run('readwrite', (store) => store.put({ ...upload, file: undefined }));
}

export async function forget(id: string): Promise<void> {
	await run('readwrite', (store) => store.delete(id));
}

export async function kept(): Promise<Kept[]> {
	return ((await run('readonly', (store) => store.getAll())) as Kept[] | undefined) ?? [];
}
