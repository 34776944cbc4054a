import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Api } from './api.ts';
import { freePort, inTree, Program, run, until } from './program.ts';

const program = inTree('bin/factor');

export interface Account {
  email: string;
  name: string;
  password: string;
}

let accounts = 0;

/** A person nobody has met before. */
export function somebody(name: string): Account {
  accounts += 1;
  return { email: `${name.toLowerCase()}-${accounts}@people.example`, name, password: `pw-${name}-${accounts}-orange` };
}

/** The real bin/factor on free ports with a data folder of its own; the same ports and folder after a restart. */
export class Factor {
  #process: Program | undefined;
  #arguments: string[] = [];
  #program = program;

  private constructor(
    readonly folder: string,
    readonly url: string,
    private readonly ports: { http: number; https: number; mqtts: number },
  ) {}

  static async start(settings: { smtp?: string; more?: string[] } = {}): Promise<Factor> {
    const folder = await mkdtemp(join(tmpdir(), 'factor-e2e-'));
    const ports = { http: await freePort(), https: await freePort(), mqtts: await freePort() };
    const factor = new Factor(folder, `http://127.0.0.1:${ports.http}`, ports);
    factor.#arguments = [
      ...['--public-url', factor.url],
      ...(settings.smtp ? ['--smtp', settings.smtp, '--mail-from', 'FACTOR <factor@server.example>'] : []),
      ...(settings.more ?? []),
    ];
    await factor.up();
    return factor;
  }

  /** Another version of the program from the next start on, with the same data. */
  use(built: string): void {
    this.#program = built;
  }

  /** Starts it, again after a stop or a kill, and waits until it answers. */
  async up(): Promise<void> {
    const on = (port: number) => `127.0.0.1:${port}`;
    const { http, https, mqtts } = this.ports;
    this.#process = new Program('factor', [
      ...[this.#program, 'serve', '--data', this.data, '--http', on(http), '--https', on(https), '--mqtts', on(mqtts)],
      ...['--webrtc', on(0), '--rtsp', on(0)],
      ...this.#arguments,
    ]);
    await until('factor is ready', async () => {
      if (!this.#process!.running) throw new Error(`factor ended:\n${this.#process!.said}`);
      return fetch(`${this.url}/readyz`).then((r) => r.ok, () => false);
    });
  }

  /** The pages over TLS, with the certificate of the server's own authority. */
  get secure(): string {
    return `https://127.0.0.1:${this.ports.https}`;
  }

  /** Where printers log in by MQTT over TLS. */
  get mqtts(): number {
    return this.ports.mqtts;
  }

  get data(): string {
    return join(this.folder, 'data');
  }

  get log(): string {
    return this.#process?.said ?? '';
  }

  /** The code that the server printed for the first account. */
  async setupCode(): Promise<string> {
    const match = await this.#process!.says(/set-up code[^A-Z0-9]*([A-Z0-9]{4}(?:-[A-Z0-9]{4})+)/i);
    return match[1]!;
  }

  /** A verified account, made as an operator does. */
  async addUser(account: Account, admin = false): Promise<Account> {
    await run(
      [
        ...[this.#program, 'user', 'add', '--data', this.data, '--email', account.email, '--name', account.name],
        ...[...(admin ? ['--admin'] : []), '--password-stdin'],
      ],
      account.password,
    );
    return account;
  }

  /** The API in the account's name, by a token made as an operator does. */
  async as(account: Account): Promise<Api> {
    const said = await run([this.#program, 'token', 'add', '--data', this.data, '--email', account.email, '--name', 'e2e']);
    const token = said.match(/fct_\S+/)?.[0];
    if (!token) throw new Error('factor token add printed no token');
    return new Api(this.url, token);
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
