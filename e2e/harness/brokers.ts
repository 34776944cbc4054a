import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createSecureServer } from 'node:tls';
import { run } from './program.ts';

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
    const folder = await mkdtemp(join(tmpdir(), 'factor-e2e-expired-'));
    const at = (name: string) => join(folder, name);
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', at('key.pem')];
    await run(['openssl', 'req', '-new', ...key, '-out', at('request.pem'), '-subj', '/CN=broker', '-addext', 'subjectAltName=IP:127.0.0.1']);
    const sign = ['openssl', 'x509', '-req', '-in', at('request.pem'), '-signkey', at('key.pem'), '-copy_extensions', 'copy'];
    await run([...sign, '-days', '-1', '-out', at('cert.pem')]);
    const [cert, secret] = await Promise.all([readFile(at('cert.pem'), 'utf8'), readFile(at('key.pem'), 'utf8')]);
    await rm(folder, { recursive: true, force: true });
    const server = createSecureServer({ cert, key: secret }, (socket) => socket.on('error', () => undefined));
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
