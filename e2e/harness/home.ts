import type { BrowserContext, Locator } from '@playwright/test';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Api } from './api.ts';
import { Factor, somebody, type Account } from './factor.ts';
import { OctoPrintPage, OwnersOctoPrint } from './owners_octoprint.ts';
import { plugin } from './plugin_words.ts';
import { root, run } from './program.ts';
import { Release } from './release.ts';
import { mjpeg, Site } from './site.ts';
import { expect as quick, test as base } from './test.ts';
import type { Language } from './words.ts';

/** OctoPrint's page is slow where much else runs. */
export const expect = quick.configure({ timeout: 60_000 });

/** A server, and an OctoPrint of an owner who has nothing of FACTOR yet. */
export interface Home {
  factor: Factor;
  octoprint: OwnersOctoPrint;
  owner: Account;
  /** The owner's browser, with OctoPrint's page in two tabs, one in Korean. */
  context: BrowserContext;
  theirs: OctoPrintPage;
  korean: OctoPrintPage;
  /** From the first test on. */
  uuid: string;
  api: Api;
  /** What the server offered before it became a later version. */
  former?: Offer;
}

/** What a server hands out to a plugin. */
export interface Offer {
  list: Uint8Array;
  zip: Uint8Array;
}

/** What the server of these tests becomes: a version that is fit, and one that does not start. */
export interface Later {
  fit: Release;
  unfit: Release;
}

/** One home for all tests of a worker: what a test leaves is what the next one finds. */
export const test = base.extend<object, { home: Home; camera: Site; later: Later }>({
  home: [
    async ({ mailbox, browser }, use) => {
      const factor = await Factor.start({ smtp: mailbox.smtp });
      await factor.addUser(somebody('Admin'), true);
      const octoprint = await OwnersOctoPrint.start();
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-GB' });
      const theirs = new OctoPrintPage(await context.newPage(), octoprint);
      const korean = new OctoPrintPage(await context.newPage(), octoprint);
      const owner = somebody('Minseo');
      await use({ factor, octoprint, owner, context, theirs, korean, uuid: '', api: undefined as unknown as Api });
      await context.close();
      await octoprint.stop();
      await factor.remove();
    },
    { scope: 'worker', timeout: 400_000 },
  ],
  camera: [
    async ({ browser }, use) => {
      const page = await browser.newPage({ viewport: { width: 320, height: 240 } });
      await page.setContent('<body style="background: linear-gradient(orange, navy)"><h1>Printer</h1></body>');
      const camera = await Site.start();
      camera.answers.set('/stream', mjpeg(Uint8Array.from(await page.screenshot({ type: 'jpeg' }))));
      await page.close();
      camera.give('/locked', 'Who are you?', 'text/plain', 401);
      camera.give('/page', '<h1>My camera</h1>', 'text/html');
      await giveHLS(camera);
      await use(camera);
      await camera.stop();
    },
    { scope: 'worker' },
  ],
  later: [
    async ({}, use) => {
      const later = { unfit: await Release.build('8.0.0', { 'keeper.py': 'def broken(:\n' }), fit: await Release.build('9.0.0') };
      await use(later);
      await Promise.all([later.fit.remove(), later.unfit.remove()]);
    },
    { scope: 'worker', timeout: 400_000 },
  ],
});

/** H.264, whose picture only ffmpeg can make; the OctoPrint of these tests has none. */
async function giveHLS(site: Site): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'factor-e2e-hls-'));
  const source = ['-f', 'lavfi', '-i', 'testsrc=size=320x240:rate=10', '-t', '6', '-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-g', '10'];
  await run(['ffmpeg', '-nostdin', '-loglevel', 'error', ...source, '-hls_time', '1', '-hls_list_size', '0', join(folder, 'live.m3u8')]);
  for (const name of await readdir(folder)) site.give(`/${name}`, Uint8Array.from(await readFile(join(folder, name))));
  await rm(folder, { recursive: true });
}

/** The plugin as the plugin repository has it, made for no server. */
export async function bareZip(): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'factor-e2e-bare-'));
  await run(['make', '--no-print-directory', '-C', root, 'plugin-zip', `OUT=${folder}`]);
  const zip = Uint8Array.from(await readFile(join(folder, 'factor-plugin.zip')));
  await rm(folder, { recursive: true });
  return zip;
}

/** The same in OctoPrint's page in both languages. */
export async function inBoth(home: Home, act: (at: OctoPrintPage, language: Language) => Promise<void>): Promise<void> {
  await act(home.theirs, 'en');
  await act(home.korean, 'ko');
}

export async function logIn(pane: Locator, owner: Account): Promise<void> {
  await pane.getByLabel(plugin('E-mail')).fill(owner.email);
  await pane.getByLabel(plugin('Password ')).fill(owner.password);
  await pane.getByRole('button', { name: plugin('Login '), exact: true }).click();
  await expect(pane.getByText(owner.email)).toBeVisible();
}
