import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Account, Factor } from './factor.ts';
import type { OctoPrint } from './octoprint.ts';
import { inTree, Program, run } from './program.ts';

const program = inTree('bin/factor-agent');

/** The real bin/factor-agent, enrolled as a person does it. */
export class Agent {
  #process: Program | undefined;

  private constructor(private readonly folder: string) {}

  static async enrol(factor: Factor, octoprint: OctoPrint, owner: Account, name: string): Promise<Agent> {
    const folder = await mkdtemp(join(tmpdir(), 'factor-e2e-agent-'));
    await run(
      [
        ...[program, 'enrol', '--data', folder, '--server', factor.url, '--octoprint', octoprint.url],
        ...['--api-key', octoprint.key, '--name', name, '--email', owner.email],
      ],
      owner.password,
    );
    return new Agent(folder);
  }

  up(): void {
    this.#process = new Program('factor-agent', [program, 'run', '--data', this.folder]);
  }

  get log(): string {
    return this.#process?.said ?? '';
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
  }

  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  async remove(): Promise<void> {
    try {
      await this.stop();
    } finally {
      await rm(this.folder, { recursive: true, force: true });
    }
  }
}
