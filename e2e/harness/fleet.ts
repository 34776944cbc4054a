import type { Account, Factor } from './factor.ts';
import { inTree, Program, until } from './program.ts';

/** `factor sim`: so many printers that behave, registered in the account's name. */
export class Fleet {
  private constructor(private readonly process: Program) {}

  static async start(factor: Factor, owner: Account, count: number, ...more: string[]): Promise<Fleet> {
    const api = await factor.as(owner);
    const before = (await api.printers()).length;
    const command = [inTree('bin/factor'), 'sim', '-n', String(count), '--server', factor.url, ...more];
    const process = new Program('factor sim', command, { FACTOR_TOKEN: api.token });
    await until(`${count} printers are there`, async () => {
      if (!process.running) throw new Error(`factor sim ended:\n${process.said}`);
      return (await api.printers()).length >= before + count;
    });
    return new Fleet(process);
  }

  /** All of them gone at once, without a goodbye. */
  kill(): Promise<void> {
    return this.process.kill();
  }

  stop(): Promise<void> {
    return this.process.stop();
  }
}
