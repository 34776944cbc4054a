// Leaves texts of the built site compressed only: x.js becomes x.js.gz. The program carries the site, so this is a third of a
// megabyte less of it, and the server compresses nothing when it is first asked. internal/server/web/pages.go reads both.
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { constants, gzipSync } from 'node:zlib';

const site = 'build';
const texts = new Set(['.css', '.js', '.json', '.svg', '.txt', '.webmanifest']);
const worthOver = 860; // bytes; below, a packet is a packet

for (const entry of await readdir(site, { recursive: true, withFileTypes: true })) {
	if (!entry.isFile() || !texts.has(extname(entry.name))) continue;
	const file = join(entry.parentPath ?? entry.path, entry.name);
	const text = await readFile(file);
	if (text.length <= worthOver) continue;
	await writeFile(`${file}.gz`, gzipSync(text, { level: constants.Z_BEST_COMPRESSION }));
	await rm(file);
}
