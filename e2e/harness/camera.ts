import { createServer, type Server } from 'node:http';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, normalize } from 'node:path';
import { once } from 'node:events';
import { inTree, Program, until } from './program.ts';

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

  static async start(): Promise<HlsCamera> {
    const folder = await mkdtemp(join(tmpdir(), 'factor-e2e-hls-'));
    const ffmpeg = new Program('ffmpeg', [
      ...['ffmpeg', '-loglevel', 'error', '-re', '-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=15'],
      ...['-c:v', 'libx264', '-profile:v', 'baseline', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '15'],
      ...['-f', 'hls', '-hls_time', '1', '-hls_list_size', '5', '-hls_flags', 'delete_segments', join(folder, 'index.m3u8')],
    ]);
    const server = createServer((request, answer) => {
      const path = normalize(new URL(request.url ?? '/', 'http://x').pathname);
      readFile(join(folder, path)).then(
        (body) => answer.end(body),
        () => answer.writeHead(404).end(),
      );
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const url = `http://127.0.0.1:${port}/index.m3u8`;
    await until('the stream is there', () => fetch(url).then((r) => r.ok));
    return new HlsCamera(ffmpeg, server, folder, url);
  }

  async stop(): Promise<void> {
    await this.ffmpeg.stop();
    this.server.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}
