import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Api } from '../harness/api.ts';
import { somebody, type Account } from '../harness/factor.ts';
import { inTree, Program, root, run, until } from '../harness/program.ts';

type Place = 'internet' | 'server' | 'home' | 'printer' | 'office' | 'viewer';

const server = process.env.FACTOR_NETWORK_SERVER_ADDRESS ?? '';
const relay = process.env.FACTOR_NETWORK_RELAY_ADDRESS ?? ''; // of the router in the middle
const secret = 'what both know';
const namespace = (of: Place): string => {
  const name = process.env[`FACTOR_NETWORK_${of.toUpperCase()}`];
  if (!name) throw new Error('there is no network: run scripts/network.py npx playwright test --config network.config.ts');
  return name;
};
const inside = (of: Place, ...command: string[]): string[] => ['ip', 'netns', 'exec', namespace(of), ...command];

// What enrolment asks an OctoPrint; afterwards it is away, which is no camera's business.
const OCTOPRINT = `require('node:http').createServer((_, answer) => answer.setHeader('Content-Type', 'application/json')
  .end('{"api":"0.1","server":"1.11.8","text":"OctoPrint 1.11.8"}')).listen(5000, '127.0.0.1', () => console.log('ready'))`;

export interface Camera {
  name: string;
  stream_url: string;
  encode?: 'auto' | 'always' | 'never';
  max_kbps?: number;
}

/** The server in the internet, and a printer at home with cameras: everything but the browser. */
export class Internet {
  readonly url = `https://${server}:8443`;
  uuid = '';
  api!: Api;
  #programs: Program[] = [];

  private constructor(
    private readonly folder: string,
    readonly owner: Account,
  ) {}

  static async begin(): Promise<Internet> {
    const net = new Internet(await mkdtemp(join(tmpdir(), 'factor-network-')), somebody('Jimin'));
    await net.#startServer();
    await net.#startPrinter();
    return net;
  }

  async #startServer(): Promise<void> {
    const data = join(this.folder, 'data');
    const factor = this.#start('server', 'factor', [
      ...[inTree('bin/factor'), 'serve', '--data', data, '--http', '127.0.0.1:8080', '--https', ':8443', '--mqtts', ':8883'],
      ...['--webrtc', ':8189', '--rtsp', 'off', '--public-url', this.url],
      ...['--turn', `turn:${relay}:3478?transport=tcp`, '--turn-secret', secret], // there is none until startRelay
    ]);
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'; // its certificate is of its own making, and this process talks to nobody else
    await until('the server answers', async () => {
      if (!factor.running) throw new Error(factor.said);
      return fetch(`${this.url}/readyz`).then((r) => r.ok, () => false);
    });
    const add = [inTree('bin/factor'), 'user', 'add', '--data', data, '--email', this.owner.email, '--name', this.owner.name, '--password-stdin'];
    await run(inside('server', ...add), this.owner.password);
    const said = await run(inside('server', inTree('bin/factor'), 'token', 'add', '--data', data, '--email', this.owner.email, '--name', 'e2e'));
    this.api = new Api(this.url, said.match(/fct_\S+/)![0]);
  }

  async #startPrinter(): Promise<void> {
    const [data, ca] = [join(this.folder, 'agent'), join(this.folder, 'ca.crt')];
    await writeFile(ca, await fetch(`${this.url}/ca.crt`).then((r) => r.text()));
    const octoprint = this.#start('printer', 'octoprint', ['node', '-e', OCTOPRINT]);
    await octoprint.says(/ready/);
    const agent = inTree('bin/factor-agent');
    await run(
      inside('printer', agent, 'enrol', '--data', data, '--server', this.url, '--ca', ca, '--api-key', 'x', '--name', 'Far', '--email', this.owner.email),
      this.owner.password,
    );
    await octoprint.stop();
    this.#start('printer', 'factor-agent', [agent, 'run', '--data', data]);
    this.uuid = (await until('the printer is online', async () => (await this.api.printers()).find((p) => p.online))).uuid;
  }

  /** A simulated camera with a clock in its picture, the same as H.264 by mediamtx, and a camera of 720p. */
  async startCameras(): Promise<{ mjpeg: string; h264: string; large: string }> {
    const mjpeg = await this.#startMjpeg('127.0.0.1:8081', '--width', '640', '--height', '360', '--fps', '10', '--quality', '80');
    const large = await this.#startMjpeg('127.0.0.1:8082', '--width', '1280', '--height', '720', '--fps', '10');
    const config = join(this.folder, 'mediamtx.yml');
    await writeFile(
      config,
      `rtsp: yes\nrtspAddress: 127.0.0.1:8554\nrtspTransports: [tcp]\nrtmp: no\nhls: no\nsrt: no\nmoq: no\nwebrtc: no\npaths:\n  cam:\n`,
    );
    const mediamtx = this.#start('printer', 'mediamtx', [process.env.FACTOR_TEST_MEDIAMTX ?? 'mediamtx', config]);
    await mediamtx.says(/RTSP\] started/);
    this.#start('printer', 'ffmpeg', [
      ...['ffmpeg', '-loglevel', 'error', '-fflags', 'nobuffer', '-f', 'mpjpeg', '-use_wallclock_as_timestamps', '1', '-i', mjpeg],
      ...['-c:v', 'libx264', '-profile:v', 'baseline', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p'],
      ...['-g', '10', '-b:v', '600k', '-maxrate', '600k', '-bufsize', '300k', '-f', 'rtsp', '-rtsp_transport', 'tcp', 'rtsp://127.0.0.1:8554/cam'],
    ]);
    await mediamtx.says(/is publishing/);
    return { mjpeg, h264: 'rtsp://127.0.0.1:8554/cam', large };
  }

  async #startMjpeg(listen: string, ...picture: string[]): Promise<string> {
    const camera = this.#start('printer', 'sim-camera', [inTree('bin/factor'), 'sim-camera', '--listen', listen, ...picture]);
    const [url] = await camera.says(/http:\S+/);
    return url!;
  }

  /** A TURN server at another place of the internet, until the returned function is called. */
  async startRelay(): Promise<() => Promise<void>> {
    const built = join(this.folder, 'relay');
    await run(['go', 'build', '-C', root, '-o', built, './e2e/network/relay']);
    const program = this.#start('internet', 'relay', [built, '-listen', `${relay}:3478`, '-secret', secret]);
    await program.says(/ready/);
    return () => program.stop();
  }

  async setCamera(camera: Camera): Promise<void> {
    await this.api.call('PUT', `/printers/${this.uuid}/cameras`, { items: [camera] });
  }

  /** What the server says of the camera. */
  diagnosis(): Promise<Record<string, unknown>> {
    return this.api.call('GET', `/printers/${this.uuid}/camera?wait=false`);
  }

  #start(where: Place, name: string, command: string[]): Program {
    const program = new Program(name, inside(where, ...command));
    this.#programs.push(program);
    return program;
  }

  get logs(): string {
    return this.#programs.map((p) => `── ${p.name}\n${p.said.split('\n').slice(-40).join('\n')}`).join('\n');
  }

  async end(): Promise<void> {
    for (const program of this.#programs.reverse()) await program.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** What a router does to what passes it. */
export interface Fault {
  where: 'home' | 'office';
  make: string[];
  mend: string[];
}

/** Rules of nft's for what passes a router. */
export function fault(where: Fault['where'], ...rules: string[]): Fault {
  const lines = ['add table ip fault', 'add chain ip fault forward { type filter hook forward priority -10; }'];
  const make = ['nft', [...lines, ...rules.map((rule) => `add rule ip fault forward ${rule}`)].join('; ')];
  return { where, make, mend: ['nft', 'delete table ip fault'] };
}

/** A slow way out of a router: a modem that keeps what it cannot send for a moment, and drops the rest. */
export function slow(where: Fault['where'], rate: string): Fault {
  const device = ['dev', 'wan', 'root'];
  return {
    where,
    make: ['tc', 'qdisc', 'replace', ...device, 'tbf', 'rate', rate, 'burst', '4k', 'latency', '300ms'],
    mend: ['tc', 'qdisc', 'delete', ...device],
  };
}

/** Has a fault last as long as what is done meanwhile; however that ends, it is mended. */
export async function during(fault: Fault, fn: () => Promise<void>): Promise<void> {
  await run(inside(fault.where, ...fault.make));
  try {
    await fn();
  } finally {
    await run(inside(fault.where, ...fault.mend));
  }
}
