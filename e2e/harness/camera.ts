import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, normalize } from 'node:path';
import { once } from 'node:events';
import { freePort, inTree, Program, until } from './program.ts';

/** `factor sim-camera`: MJPEG over HTTP with a clock in its picture. */
export class MjpegCamera {
  private constructor(
    private readonly process: Program,
    readonly url: string,
  ) {}

  static async start(): Promise<MjpegCamera> {
    const process = new Program('sim-camera', [
      ...[inTree('bin/factor'), 'sim-camera', '--listen', '127.0.0.1:0', '--width', '640', '--height', '360', '--fps', '10'],
    ]);
    const [url] = await process.says(/http:\S+/);
    return new MjpegCamera(process, url!);
  }

  async stop(): Promise<void> {
    await this.process.stop();
  }
}

/** An H.264 stream as HLS, made by ffmpeg. */
export class HlsCamera {
  private constructor(
    private readonly ffmpeg: Program,
    private readonly server: Server,
    private readonly folder: string,
    readonly url: string,
  ) {}

  /** Of what ffmpeg is given; of a test picture by itself. */
  static async start(input: string[] = ['-re', '-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=15']): Promise<HlsCamera> {
    const folder = await mkdtemp(join(tmpdir(), 'factor-e2e-hls-'));
    const ffmpeg = new Program('ffmpeg', [
      ...['ffmpeg', '-loglevel', 'error', ...input],
      ...['-c:v', 'libx264', '-profile:v', 'baseline', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p', '-g', '15'],
      ...['-f', 'hls', '-hls_time', '1', '-hls_list_size', '5', '-hls_flags', 'delete_segments', join(folder, 'index.m3u8')],
    ]);
    const server = createServer((request, answer) => {
      const path = normalize(new URL(request.url ?? '/', 'http://x').pathname);
      readFile(join(folder, path)).then(
        (body) => answer.end(body),
        () => answer.writeHead(404).end(),
      );
    });
    const url = `${await listen(server)}/index.m3u8`;
    await until('the stream is there', () => fetch(url).then((r) => r.ok));
    return new HlsCamera(ffmpeg, server, folder, url);
  }

  async stop(): Promise<void> {
    await this.ffmpeg.stop();
    this.server.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return `http://127.0.0.1:${port}`;
}

/** ffmpeg's arguments for a codec of low delay, whose pictures come out as fast as they go in. */
const CODECS = {
  h264: ['-c:v', 'libx264', '-profile:v', 'baseline', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p', '-g', '10'],
  h265: ['-c:v', 'libx265', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p', '-x265-params', 'keyint=10:log-level=error'],
};

/**
 * The simulated camera's picture with its clock, made into other kinds of camera by ffmpeg and mediamtx. What each of them
 * adds to the delay is part of the camera.
 */
export class ClockCamera {
  readonly #programs: Program[] = [];
  readonly #published = new Set<string>();
  #server: Server | undefined;
  #files: HlsCamera | undefined;
  #mediamtx: Program | undefined;

  private constructor(
    private readonly folder: string,
    private readonly mjpeg: MjpegCamera,
    private readonly ports: { rtsp: number; rtmp: number; whep: number; udp: number },
  ) {}

  static async start(): Promise<ClockCamera> {
    const folder = await mkdtemp(join(tmpdir(), 'factor-e2e-clock-'));
    return new ClockCamera(folder, await MjpegCamera.start(), { rtsp: await freePort(), rtmp: await freePort(), whep: await freePort(), udp: await freePort() });
  }

  /** The camera as it is. */
  get plain(): string {
    return this.mjpeg.url;
  }

  /** By RTSP from mediamtx, by RTMP and by WHEP. */
  async published(codec: 'h264' | 'h265'): Promise<{ rtsp: string; rtmp: string; whep: string }> {
    const server = await this.#peer();
    const path = `live/${codec}`;
    const rtsp = `rtsp://127.0.0.1:${this.ports.rtsp}/${path}`;
    if (!this.#published.has(codec)) {
      this.#published.add(codec);
      this.#ffmpeg(codec, ['-f', 'rtsp', '-rtsp_transport', 'tcp', rtsp]);
      await server.says(new RegExp(`is publishing to path '${path}'`));
    }
    return { rtsp, rtmp: `rtmp://127.0.0.1:${this.ports.rtmp}/${path}`, whep: `http://127.0.0.1:${this.ports.whep}/${path}/whep` };
  }

  /** As MJPEG over HTTP, made by an ffmpeg for each who asks. */
  async remade(): Promise<string> {
    this.#server = createServer((_, answer) => {
      answer.writeHead(200, { 'Content-Type': 'multipart/x-mixed-replace;boundary=ffmpeg' });
      const ffmpeg = spawn('ffmpeg', ['-loglevel', 'error', ...this.#input, '-q:v', '5', '-flush_packets', '1', '-f', 'mpjpeg', '-'], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      ffmpeg.stdout.pipe(answer);
      answer.on('close', () => ffmpeg.kill('SIGKILL'));
    });
    return `${await listen(this.#server)}/`;
  }

  /** As files of HLS, made by ffmpeg. */
  async files(): Promise<string> {
    this.#files = await HlsCamera.start(this.#input);
    return this.#files.url;
  }

  /** The picture as ffmpeg is given it: each once, and at once. */
  get #input(): string[] {
    return ['-fflags', 'nobuffer', '-f', 'mpjpeg', '-use_wallclock_as_timestamps', '1', '-i', this.mjpeg.url, '-an', '-fps_mode', 'passthrough'];
  }

  #ffmpeg(codec: keyof typeof CODECS, to: string[]): void {
    this.#programs.push(new Program('ffmpeg', ['ffmpeg', '-loglevel', 'error', ...this.#input, ...CODECS[codec], ...to]));
  }

  async #peer(): Promise<Program> {
    if (this.#mediamtx) return this.#mediamtx;
    const config = join(this.folder, 'mediamtx.yml');
    await writeFile(
      config,
      [
        ...[`rtmpAddress: 127.0.0.1:${this.ports.rtmp}`, 'srt: no', 'moq: no', 'hls: no', 'rtspTransports: [tcp]', `rtspAddress: 127.0.0.1:${this.ports.rtsp}`],
        ...[`webrtcAddress: 127.0.0.1:${this.ports.whep}`, `webrtcLocalUDPAddress: 127.0.0.1:${this.ports.udp}`],
        ...['webrtcIPsFromInterfaces: no', 'webrtcAdditionalHosts: [127.0.0.1]', 'paths:', '  all_others:', ''],
      ].join('\n'),
    );
    const program = process.env.FACTOR_TEST_MEDIAMTX ?? inTree('.cache/peers/mediamtx-v1.20.1');
    this.#mediamtx = new Program('mediamtx', [program, config]);
    this.#programs.push(this.#mediamtx);
    await this.#mediamtx.says(/\[RTSP\] started/);
    return this.#mediamtx;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    this.#server?.close();
    await this.#files?.stop();
    for (const program of this.#programs.reverse()) await program.kill();
    await this.mjpeg.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
