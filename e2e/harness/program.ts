import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const inTree = (...parts: string[]): string => join(root, ...parts);

/** A real program of the project or beside it. It dies with the test process, however that ends. */
export class Program {
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #ended: Promise<void>;
  #said = '';
  #heard: (() => void)[] = [];

  constructor(
    readonly name: string,
    command: string[],
    env: Record<string, string> = {},
  ) {
    this.#process = spawn('setpriv', ['--pdeathsig', 'TERM', '--', ...command], {
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#process.stdin.on('error', () => undefined); // of a program that has ended without reading what it was told
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#said += text;
        this.#wake();
      });
    }
    this.#ended = once(this.#process, 'close').then(() => this.#wake());
  }

  get pid(): number {
    return this.#process.pid!;
  }

  get running(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Everything it has written, standard output and error as they came. */
  get said(): string {
    return this.#said;
  }

  /** Waits until it has written what the pattern wants; fails at once if it ends before. */
  async says(pattern: RegExp, limit = 60_000): Promise<RegExpMatchArray> {
    const end = Date.now() + limit;
    for (;;) {
      const match = this.#said.match(pattern);
      if (match) return match;
      if (!this.running) throw new Error(`${this.name} ended before it said ${pattern}:\n${this.#said}`);
      if (Date.now() > end) throw new Error(`${this.name} did not say ${pattern} within ${limit} ms:\n${this.#said}`);
      await Promise.race([new Promise<void>((wake) => this.#heard.push(wake)), pause(500)]);
    }
  }

  write(text: string): void {
    this.#process.stdin.end(text);
  }

  /** Asks it to end, as a service manager does, and waits for that. */
  async stop(limit = 20_000): Promise<void> {
    if (!this.running) return;
    this.#process.kill('SIGTERM');
    const polite = await Promise.race([this.#ended.then(() => true), pause(limit).then(() => false)]);
    if (!polite) {
      await this.kill();
      throw new Error(`${this.name} did not end within ${limit} ms of SIGTERM:\n${this.#said}`);
    }
  }

  /** kill -9: no goodbye, nothing flushed. */
  async kill(): Promise<void> {
    if (this.running) this.#process.kill('SIGKILL');
    await this.#ended;
  }

  /** Waits until it ends by itself; its exit code. */
  async finished(): Promise<number | null> {
    await this.#ended;
    return this.#process.exitCode;
  }

  #wake(): void {
    const waiting = this.#heard;
    this.#heard = [];
    for (const wake of waiting) wake();
  }
}

/** Runs a program to its end; what it said, or an error with that. */
export async function run(command: string[], input = ''): Promise<string> {
  const program = new Program(command[0]!.split('/').at(-1)!, command);
  program.write(input);
  const code = await program.finished();
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}:\n${program.said}`);
  return program.said;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** Polls until the condition gives something truthy. Tests wait for events; this is for what has none. */
export async function until<T>(what: string, condition: () => Promise<T> | T, limit = 60_000): Promise<NonNullable<T>> {
  const end = Date.now() + limit;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${limit / 1000} s: ${what}`);
    await pause(100);
  }
}

export const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
