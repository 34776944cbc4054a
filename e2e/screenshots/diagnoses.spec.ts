import { mkdirSync, readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { inTree } from '../harness/program.ts';
import { expect, test } from '../harness/test.ts';
import { en, ko, type Language } from '../harness/words.ts';
import { folder, looks, open } from './look.ts';

interface Said {
  code: string;
  message: string;
  cure: string;
}

/** Every diagnosis with the server's words, which docs/…/cameras.md repeats; a test of the server's holds them together. */
const diagnoses = (language: Language): Said[] =>
  [...readFileSync(inTree('docs', language, 'cameras.md'), 'utf8').matchAll(/^\| `([a-z_]+)` \| (.+) \| (.+) \|$/gm)].map(([, code, message, cure]) => ({
    code: code!,
    message: message!.replaceAll('\\|', '|'),
    cure: cure!.replaceAll('\\|', '|'),
  }));

/** The server says what `now` is, and no picture comes. */
async function pretend(page: Page, now: () => object): Promise<void> {
  await page.route(/\/cameras\/[^/?]+\?wait=/, (route) => route.fulfill({ json: now() }));
  await page.route(/\/cameras\/[^/]+\/(whep|hls|mjpeg|snapshot)/, (route) => route.abort());
  await page.route(/\/cameras\/[^/]+\/report/, (route) => route.fulfill({ status: 204 }));
}

test('every diagnosis of a camera', async ({ browser, factor, owner, api, printer }) => {
  mkdirSync(folder, { recursive: true });
  await api.call('PUT', `/printers/${printer.uuid}/cameras`, { items: [{ name: 'Nozzle', stream_url: 'http://127.0.0.1:9/' }] });
  const wanted = looks.filter(({ device, theme }) => (device === 'desktop') === (theme === 'light'));
  for (const look of wanted) {
    const page = await open(browser, look, factor, owner);
    const word = look.language === 'ko' ? ko : en;
    const known = { id: 'x', name: 'Nozzle', viewers: 1, kind: 'mjpeg', codec: 'jpeg', width: 1280, height: 720, fps: 14.5, kbps: 760, max_kbps: 800 };
    const rungs = ['whep', 'hls', 'mjpeg', 'picture'].map((rung) => ({ rung, possible: true }));
    let now: object = { ...known, state: 'opening', rungs };
    await pretend(page, () => now);
    await page.goto(`${factor.url}/printers/${printer.uuid}`);
    const shoot = async (name: string) => {
      await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
      const path = `${folder}/why-${name}-${look.device}-${look.theme}-${look.language}.png`;
      await page.getByRole('dialog').screenshot({ path, animations: 'disabled' });
    };
    const all = diagnoses(look.language);
    expect(all.length).toBeGreaterThan(30);
    for (const error of all) {
      now = { ...known, state: 'failed', rungs, error: { ...error, lines: error.code === 'ffmpeg_died' ? 'Error opening input: Invalid data found when processing input' : undefined } };
      const why = page.locator('[data-camera]').getByRole('button', { name: word('camera_why') });
      await why.click({ timeout: 60_000 });
      if (error.code !== 'agent_offline') await page.getByRole('dialog').getByText(new RegExp(`\\b${error.code}\\b`)).waitFor();
      await shoot(error.code);
      await page.keyboard.press('Escape');
    }
    now = { ...known, state: 'running', codec: 'h264', encoder: 'libx264', encoded: 'budget', needs_kbps: 2400, rungs };
    await page.locator('[data-camera]').getByRole('button', { name: word('camera_why') }).click();
    await page.getByRole('dialog').getByText('libx264').waitFor();
    await shoot('encoded');
    await page.context().close();
  }
});
