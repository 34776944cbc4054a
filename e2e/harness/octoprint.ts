import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inTree, Program, until } from './program.ts';

const octoprint = process.env.FACTOR_TEST_OCTOPRINT ?? inTree('.run/octoprint-venv/bin/octoprint');
/** The same with octoprint_factor 2.8.5 in it, the plugin that owners run today. */
export const published = process.env.FACTOR_TEST_PUBLISHED ?? inTree('.cache/published-venv/bin/octoprint');
const busy = ['printing', 'paused', 'pausing', 'resuming', 'cancelling', 'finishing'] as const;

export interface OctoPrintJob {
  state: string;
  job: { file: { name: string | null } };
  progress: { completion: number | null; printTime: number | null; printTimeLeft: number | null };
}

export type Temperatures = Record<string, { actual: number; target: number }>;

/** A real OctoPrint with its virtual printer. The tests share one and put it back by reset(). */
export class OctoPrint {
  private constructor(
    private readonly process: Program,
    private readonly folder: string,
    readonly url: string,
    readonly key: string,
  ) {}

  /** Of the shared environment, or another one; with these settings over those of scripts/octoprint.py. */
  static async start(program = octoprint, settings: object = {}): Promise<OctoPrint> {
    const folder = await mkdtemp(join(tmpdir(), 'factor-e2e-octoprint-'));
    const starter = ['python3', inTree('scripts/octoprint.py'), '--program', program, '--folder', folder, '--settings', JSON.stringify(settings)];
    const process = new Program('OctoPrint', starter);
    const [, said] = await process.says(/^(\{.*"api_key".*\})$/m, 180_000);
    const { url, api_key: key } = JSON.parse(said!) as { url: string; api_key: string };
    const started = new OctoPrint(process, folder, url, key);
    await started.#send('POST', '/api/settings', { serial: { log: true } }); // for position()
    return started;
  }

  async stop(): Promise<void> {
    await this.process.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Connected, idle, at normal speed, heaters off: as a test expects it. */
  async reset(): Promise<void> {
    if (await this.#flag(...busy)) {
      await this.#send('POST', '/api/job', { command: 'cancel' }).catch(() => undefined); // over by itself meanwhile
    }
    await until('the last print is over', async () => !(await this.#flag(...busy)));
    await this.connect();
    await this.gcode('M220 S100', 'M104 S0', 'M140 S0');
  }

  async connect(): Promise<void> {
    if (!(await this.#flag('operational'))) {
      await this.#send('POST', '/api/connection', { command: 'connect', port: 'VIRTUAL', baudrate: 115200 });
    }
    await until('OctoPrint is connected to its printer', () => this.#flag('operational'));
  }

  async disconnect(): Promise<void> {
    await this.#send('POST', '/api/connection', { command: 'disconnect' });
  }

  /** Uploads short.gcode and prints it; a nozzle temperature gives it that much more heating (10 °C a second). */
  async print(name = 'short.gcode', nozzle = 45): Promise<void> {
    const gcode = await readFile(inTree('testdata/short.gcode'), 'utf8');
    await this.upload(name, gcode.replace(/^(M10[49]) S45/gm, `$1 S${nozzle}`), true);
  }

  async upload(name: string, gcode: string, print = false): Promise<void> {
    const form = new FormData();
    form.set('file', new Blob([gcode]), name);
    form.set('print', String(print));
    const headers = { 'X-Api-Key': this.key };
    const answer = await fetch(`${this.url}/api/files/local`, { method: 'POST', headers, body: form });
    if (!answer.ok) throw new Error(`upload: ${answer.status} ${await answer.text()}`);
  }

  /** The names of the files in one of its two places. */
  async files(origin: 'local' | 'sdcard'): Promise<string[]> {
    const { files } = (await this.#send('GET', `/api/files/${origin}?force=true`)) as { files: { name: string }[] };
    return files.map((file) => file.name);
  }

  pause(): Promise<unknown> {
    return this.#send('POST', '/api/job', { command: 'pause', action: 'pause' });
  }

  resume(): Promise<unknown> {
    return this.#send('POST', '/api/job', { command: 'pause', action: 'resume' });
  }

  cancel(): Promise<unknown> {
    return this.#send('POST', '/api/job', { command: 'cancel' });
  }

  /** Lines to the printer; `!!DEBUG:…` ones make the virtual printer fail. */
  gcode(...commands: string[]): Promise<unknown> {
    return this.#send('POST', '/api/printer/command', { commands });
  }

  /** The virtual printer at this part of its speed (10 to 500 %), so that a short file prints longer. */
  speed(percent: number): Promise<unknown> {
    return this.gcode(`M220 S${percent}`);
  }

  job(): Promise<OctoPrintJob> {
    return this.#send('GET', '/api/job') as Promise<OctoPrintJob>;
  }

  async temperatures(): Promise<Temperatures> {
    const { temperature } = (await this.#send('GET', '/api/printer?exclude=state,sd')) as { temperature: Temperatures };
    return temperature;
  }

  /** Every relative move that was sent to the printer, in order, such as "X10 F3000". */
  async moves(): Promise<string[]> {
    const log = await readFile(join(this.folder, 'logs', 'serial.log'), 'utf8').catch(() => '');
    const sent = [...log.matchAll(/Send: (?:N\d+ )?([^*\n]+)/g)].map((line) => line[1]!.trim().replace(/\.0+\b/g, ''));
    const asked = sent.filter((line) => !/^M1(05|14)\b/.test(line)); // OctoPrint's own questions come in between
    return asked.filter((line, i) => line.startsWith('G0 ') && asked[i - 1] === 'G91' && asked[i + 1] === 'G90').map((line) => line.slice(3));
  }

  /** Where the printer says that its head is, mm. OctoPrint tells it in its log of the serial line only. */
  async position(): Promise<{ x: number; y: number; z: number }> {
    const log = join(this.folder, 'logs', 'serial.log');
    const answers = async () => [...(await readFile(log, 'utf8').catch(() => '')).matchAll(/Recv: .*?X:(-?[\d.]+) Y:(-?[\d.]+) Z:(-?[\d.]+)/g)];
    const before = (await answers()).length;
    await this.gcode('M114');
    const [, x, y, z] = await until('the printer tells where its head is', async () => {
      const all = await answers();
      return all.length > before ? all.at(-1) : undefined;
    });
    return { x: Number(x), y: Number(y), z: Number(z) };
  }

  async #flag(...names: string[]): Promise<boolean> {
    const answer = await fetch(`${this.url}/api/printer?exclude=temperature,sd`, { headers: { 'X-Api-Key': this.key } });
    if (answer.status === 409) return false; // not connected
    const { state } = (await answer.json()) as { state: { flags: Record<string, boolean> } };
    return names.some((name) => state.flags[name]);
  }

  async #send(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await fetch(this.url + path, {
      method,
      headers: { 'X-Api-Key': this.key, 'Content-Type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`OctoPrint ${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }
}
