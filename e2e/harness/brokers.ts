import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { createServer as createSecureServer } from 'node:tls';
import { certificate, DAY } from './certificate.ts';

/** A port of this machine on which something listens. */
export class Listener {
  private constructor(
    private readonly server: Server,
    /** A certificate authority to paste, for one that speaks TLS. */
    readonly ca = '',
  ) {}

  /** Answers every log-in with a return code (MQTT 3.1.1, table 3.1): what no broker can be brought to do at will. */
  static async refusing(code: number): Promise<Listener> {
    return Listener.#on(
      createServer((socket) => {
        socket.on('error', () => undefined).once('data', () => socket.end(Uint8Array.of(0x20, 2, 0, code)));
      }),
    );
  }

  /** Speaks TLS with a certificate that ended yesterday. */
  static async expired(): Promise<Listener> {
    const { cert, key } = await certificate(new Date(Date.now() - 30 * DAY), new Date(Date.now() - DAY));
    const server = createSecureServer({ cert, key }, (socket) => socket.on('error', () => undefined));
    return Listener.#on(server.on('tlsClientError', () => undefined), cert);
  }

  static async #on(server: Server, ca = ''): Promise<Listener> {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Listener(server, ca);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.server.close();
    await once(this.server, 'close');
  }
}
