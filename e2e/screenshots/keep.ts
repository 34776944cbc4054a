import { rm } from 'node:fs/promises';
import { inTree, run } from '../harness/program.ts';

/** Keeps what `shoot` makes at the path that it is given as docs/images/guide/{name}.webp, without loss: the server carries those. */
export async function keep(name: string, shoot: (path: string) => Promise<unknown>, filter = 'null'): Promise<void> {
  const file = inTree('docs/images/guide', `${name}.webp`);
  const raw = file.replace('.webp', '.raw.png');
  await shoot(raw);
  const lossless = ['-lossless', '1', '-compression_level', '6'];
  await run(['ffmpeg', '-nostdin', '-y', '-loglevel', 'error', '-i', raw, '-vf', filter, ...lossless, file]);
  await rm(raw);
}
