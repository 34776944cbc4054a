import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './program.ts';

/** A certificate of nobody's authority, for 127.0.0.1. */
export interface Certificate {
  cert: string;
  key: string;
}

const settings = `
[ca]
default_ca = own
[own]
new_certs_dir = .
database = index.txt
rand_serial = yes
default_md = sha256
policy = names
copy_extensions = copy
[names]
commonName = supplied
`;

/** Signed by itself, valid from and to these moments. */
export async function certificate(from: Date, to: Date): Promise<Certificate> {
  const folder = await mkdtemp(join(tmpdir(), 'factor-e2e-certificate-'));
  const at = (name: string) => join(folder, name);
  try {
    await writeFile(at('ca.cnf'), settings.replace('= .', `= ${folder}`).replace('index.txt', at('index.txt')));
    await writeFile(at('index.txt'), '');
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', at('key.pem')];
    const names = ['-subj', '/CN=somebody', '-addext', 'subjectAltName=IP:127.0.0.1'];
    await run(['openssl', 'req', '-new', ...key, '-out', at('request.pem'), ...names]);
    const moment = (date: Date) => date.toISOString().replace(/[-T:]|\.\d+/g, '');
    const dates = ['-startdate', moment(from), '-enddate', moment(to)];
    const sign = ['openssl', 'ca', '-batch', '-selfsign', '-notext', '-config', at('ca.cnf'), '-keyfile', at('key.pem')];
    await run([...sign, '-in', at('request.pem'), ...dates, '-out', at('cert.pem')]);
    return { cert: await readFile(at('cert.pem'), 'utf8'), key: await readFile(at('key.pem'), 'utf8') };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export const DAY = 86_400_000; // ms
