import type { Api } from './api.ts';
import { until } from './program.ts';

/** Uploads a file into the library, in one request, and waits until it was looked into. Its id. */
export async function send(api: Api, name: string, body: Buffer): Promise<string> {
  const answer = await fetch(`${api.url}/api/v1/files`, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${api.token}`,
      'Tus-Resumable': '1.0.0',
      'Content-Type': 'application/offset+octet-stream',
      'Upload-Length': String(body.length),
      'Upload-Metadata': `filename ${Buffer.from(name).toString('base64')}`,
    },
    body: new Uint8Array(body),
  });
  if (!answer.ok) throw new Error(`the upload: ${answer.status} ${await answer.text()}`);
  const id = answer.headers.get('Location')!.split('/').at(-1)!;
  await until('the file is looked into', async () => {
    const file = await api.call<{ analysis: { state: string } }>('GET', `/files/${id}`);
    return file.analysis.state === 'done';
  }, 120_000);
  return id;
}
