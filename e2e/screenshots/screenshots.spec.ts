import { mkdirSync } from 'node:fs';
import type { Browser } from '@playwright/test';
import type { Account } from '../harness/factor.ts';
import { Factor, somebody } from '../harness/factor.ts';
import { Fleet } from '../harness/fleet.ts';
import { settled, view } from '../harness/pages.ts';
import { places, type Place } from '../harness/places.ts';
import { inTree, until } from '../harness/program.ts';
import { expect, test } from '../harness/test.ts';
import { folder, looks, open, take, type Look } from './look.ts';

async function takePlaces(browser: Browser, as: Place['as'], factor: Factor, account?: Account): Promise<void> {
  for (const look of looks) {
    const page = await open(browser, look, factor, account);
    for (const { name, path } of places.filter((place) => place.as === as)) {
      await page.goto(factor.url + path);
      await take(page, look, name);
    }
    await page.context().close();
  }
}

test.beforeAll(() => mkdirSync(folder, { recursive: true }));

test('pages without printers', async ({ browser, factor, owner, admin }) => {
  await takePlaces(browser, 'nobody', factor);
  await takePlaces(browser, 'owner', factor, owner);
  await takePlaces(browser, 'admin', factor, admin);
});

test('first set-up', async ({ browser }) => {
  const factor = await Factor.start();
  await takePlaces(browser, 'new', factor);
  await factor.remove();
});

for (const count of [1, 6, 50]) {
  test(`${count} printers`, async ({ browser, factor, owner, api }) => {
    const fleet = await Fleet.start(factor, owner, count);
    await until('the printers are at work', async () => {
      const all = await api.printers();
      return count === 1 ? all[0]?.status !== 'unknown' && all[0]?.online : new Set(all.map((p) => p.status)).size >= 3;
    });
    const printers = await api.printers();
    const byStatus = new Map(printers.map((p) => [p.status, p.uuid]));
    for (const look of looks) {
      const page = await open(browser, look, factor, owner);
      await page.goto(`${factor.url}/printers`);
      await take(page, look, `printers-${count}`);
      for (const name of count > 1 ? (['table', 'wall', 'cameras'] as const) : []) {
        await view(page, name);
        await take(page, look, `printers-${count}-${name}`);
      }
      for (const [status, uuid] of count === 6 ? [] : byStatus) {
        await page.goto(`${factor.url}/printers/${uuid}`);
        await take(page, look, `printer-${status}`);
      }
      await page.context().close();
    }
    await fleet.stop();
  });
}

/** The four of the README; each is of what fits on the screen. */
test('the pictures of the README', async ({ browser, factor, owner, api }) => {
  const fleet = await Fleet.start(factor, owner, 5, '--speed', '12');
  const known = new Set((await api.printers()).map((p) => p.uuid));
  const unlucky = await Fleet.start(factor, owner, 1, '--speed', '12', '--seed', '7');
  const printing = async () => (await api.printers()).filter((p) => p.status === 'printing' && p.temperatures.tool0!.target > 0);
  await until('they print', async () => {
    const all = await printing();
    return all.length >= 4 && all.some((p) => !known.has(p.uuid));
  }, 300_000);
  await unlucky.kill();
  await until('one is missed', async () => (await api.printers()).some((p) => p.attention.length > 0));
  const underWay = (await printing()).filter((p) => p.progress.completion! < 75); // not over in the next picture
  const furthest = underWay.sort((a, b) => b.progress.completion! - a.progress.completion!)[0]!;
  const pictures: [string, Look, string, 'cards' | 'table' | undefined][] = [
    ['dashboard', { device: 'desktop', theme: 'dark', language: 'en' }, '/printers', 'cards'],
    ['table', { device: 'desktop', theme: 'light', language: 'ko' }, '/printers', 'table'],
    ['printer', { device: 'desktop', theme: 'light', language: 'en' }, `/printers/${furthest.uuid}`, undefined],
    ['phone', { device: 'phone', theme: 'dark', language: 'ko' }, `/printers/${furthest.uuid}`, undefined],
  ];
  for (const [name, look, path, as] of pictures) {
    const page = await open(browser, look, factor, owner);
    await page.goto(factor.url + path);
    if (as) await view(page, as);
    else await expect(page.getByText(/^LIVE · MJPEG.*\d/)).toBeVisible();
    if (as === 'cards') await expect(page.locator('[data-picture="fresh"]')).toHaveCount(5); // the sixth is away
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur()); // no focus ring in a picture
    await settled(page);
    await page.waitForTimeout(1500); // for people: a chart that has been drawn to its end
    const picture = await page.screenshot({ path: inTree('docs/images', `${name}.png`) });
    expect(picture.length, `${name}.png in bytes`).toBeLessThan(300_000);
    await page.context().close();
  }
  await fleet.stop();
});

test('the dashboard of a printer that nobody has met', async ({ browser, factor }) => {
  const stranger = await factor.addUser(somebody('Stranger'));
  const page = await open(browser, looks[0]!, factor, stranger);
  await page.goto(`${factor.url}/printers/3f2b8c1e-9a4d-4e7b-8c21-5d6f7a8b9c0d`);
  await take(page, looks[0]!, 'printer-refused');
  await page.context().close();
});
