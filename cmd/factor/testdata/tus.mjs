// Uploads a file by tus-js-client, as pages and other people's scripts do: tus.mjs MODULES URL TOKEN FILE. Before its third
// request it says "now" and goes on when a line comes in, so that a test can end the server there.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const [modules, server, token, path] = process.argv.slice(2);
const { Upload } = await import(pathToFileURL(`${modules}/tus-js-client/lib.esm/node/index.js`));
const line = createInterface({ input: process.stdin });
let requests = 0;

new Upload(createReadStream(path), {
  endpoint: `${server}/api/v1/files`,
  headers: { Authorization: `Bearer ${token}` },
  metadata: { filename: '큰 파일.gcode' },
  chunkSize: 1 << 20,
  retryDelays: Array(600).fill(200),
  async onBeforeRequest() {
    requests += 1;
    if (requests !== 3) return;
    console.log('now');
    await new Promise((go) => line.once('line', go));
  },
  onError(error) {
    console.log(`failed: ${error.message}`);
    process.exit(1);
  },
  onSuccess() {
    console.log('done');
    process.exit(0);
  },
}).start();
