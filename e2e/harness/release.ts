import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inTree, root, run } from './program.ts';

const plugin = 'plugin/octoprint_factor_mqtt';

/** FACTOR as a later version of it is built: the same source, with another number and with some files changed. */
export class Release {
  private constructor(
    readonly version: string,
    private readonly folder: string,
  ) {}

  static async build(version: string, changes: Record<string, string> = {}): Promise<Release> {
    const folder = await mkdtemp(join(tmpdir(), `factor-e2e-${version}-`));
    const changed: Record<string, string> = { 'version.py': `VERSION = "${version}"\n`, ...changes };
    const overlay: Record<string, string> = {};
    for (const [name, content] of Object.entries(changed)) {
      const file = join(folder, name.replaceAll('/', '-'));
      await readFile(inTree(plugin, name)); // that there is something to change
      await writeFile(file, content);
      overlay[inTree(plugin, name)] = file;
    }
    await writeFile(join(folder, 'overlay.json'), JSON.stringify({ Replace: overlay }));
    const flags = `-s -w -X github.com/kangbyounggwan/factor/internal/version.number=${version}`;
    const build = ['go', 'build', '-C', root, '-trimpath', '-overlay', join(folder, 'overlay.json'), '-ldflags', flags];
    await run(['env', 'CGO_ENABLED=0', ...build, '-o', `${folder}/`, './cmd/...']);
    return new Release(version, folder);
  }

  get server(): string {
    return join(this.folder, 'factor');
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}
