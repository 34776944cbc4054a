import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** A reverse proxy that has another site below a path, as OctoPrint's documentation configures one. */
export class SubPath {
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  private constructor(
    target: URL,
    private readonly path: string,
  ) {
    const outward = (incoming: IncomingMessage) =>
      request({
        host: target.hostname,
        port: target.port,
        method: incoming.method,
        path: incoming.url!.slice(path.length) || '/',
        headers: { ...incoming.headers, 'x-script-name': path, 'x-scheme': 'http' },
      });
    this.#server = createServer((incoming, response) => {
      if (!incoming.url!.startsWith(`${path}/`)) return void response.writeHead(404).end();
      const out = outward(incoming);
      out.on('error', () => response.destroy());
      out.on('response', (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(response);
      });
      incoming.pipe(out);
    });
    this.#server.on('upgrade', (incoming: IncomingMessage, socket: Socket) => {
      const out = outward(incoming);
      out.on('error', () => socket.destroy()).on('response', () => socket.destroy());
      out.on('upgrade', (answer, inner) => {
        const headers = Object.entries(answer.headers).map(([name, value]) => `${name}: ${String(value)}\r\n`);
        socket.write(`HTTP/1.1 101 Switching Protocols\r\n${headers.join('')}\r\n`);
        inner.on('error', () => socket.destroy()).pipe(socket);
        socket.on('error', () => inner.destroy()).pipe(inner);
      });
      out.end();
    });
    this.#server.on('connection', (socket) => {
      this.#open.add(socket);
      socket.on('error', () => undefined).on('close', () => this.#open.delete(socket));
    });
  }

  static async start(target: string, path: string): Promise<SubPath> {
    const proxy = new SubPath(new URL(target), path);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${this.path}`;
  }

  async stop(): Promise<void> {
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
    await once(this.#server, 'close');
  }
}
