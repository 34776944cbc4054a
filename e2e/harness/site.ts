import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Certificate } from './certificate.ts';

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** A web server of a test: what it has not been told is not found. */
export class Site {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  readonly answers = new Map<string, Answer>();

  private constructor(certificate?: Certificate) {
    const find: Answer = (response, request) => {
      const answer = this.answers.get(request.url ?? '');
      if (answer) answer(response, request);
      else response.writeHead(404, { 'Content-Type': 'text/html' }).end('<h1>Not Found</h1>');
    };
    this.#server = certificate
      ? createSecureServer(certificate, (request, response) => find(response, request))
      : createServer((request, response) => find(response, request));
    this.#server.on('connection', (socket: Socket) => {
      this.#open.add(socket);
      socket.on('error', () => undefined).on('close', () => this.#open.delete(socket));
    });
  }

  /** With a certificate it is one over TLS. */
  static async start(port = 0, certificate?: Certificate): Promise<Site> {
    const site = new Site(certificate);
    site.#server.listen(port, '127.0.0.1');
    await once(site.#server, 'listening');
    return site;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  url(path = '/'): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  give(path: string, content: string | Uint8Array, type = 'application/octet-stream', status = 200): void {
    this.answers.set(path, (response) => response.writeHead(status, { 'Content-Type': type }).end(content));
  }

  async stop(): Promise<void> {
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
    await once(this.#server, 'close');
  }
}

/** The same picture again and again, as a webcam of mjpg-streamer sends it. */
export function mjpeg(picture: Uint8Array): Answer {
  return (response) => {
    response.writeHead(200, { 'Content-Type': 'multipart/x-mixed-replace; boundary=frame' });
    const next = () => {
      if (response.destroyed) return;
      response.write(`--frame\r\nContent-Type: image/jpeg\r\nContent-Length: ${picture.length}\r\n\r\n`);
      response.write(picture);
      response.write('\r\n', () => setTimeout(next, 100)); // ten pictures a second
    };
    next();
  };
}
