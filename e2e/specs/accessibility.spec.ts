import type { Page } from '@playwright/test';
import { expectAccessible } from '../harness/axe.ts';
import { Factor, somebody } from '../harness/factor.ts';
import { Fleet } from '../harness/fleet.ts';
import { logIn, settled, view } from '../harness/pages.ts';
import { places, type Place } from '../harness/places.ts';
import { until } from '../harness/program.ts';
import { expect, test } from '../harness/test.ts';
import { en } from '../harness/words.ts';

// A finding in the middle of a fade is none.
test.use({ contextOptions: { reducedMotion: 'reduce' } });

async function check(page: Page, url: string, name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.goto(url);
    await settled(page);
    await expectAccessible(page, `${name}, ${colorScheme}`);
  }
}

const only = (as: Place['as']) => places.filter((place) => place.as === as);

test('axe finds nothing on the pages for everybody', async ({ page, factor }) => {
  for (const { name, path } of only('nobody')) await check(page, factor.url + path, name);
});

test('axe finds nothing on the first set-up', async ({ page }) => {
  const factor = await Factor.start();
  try {
    for (const { name, path } of only('new')) await check(page, factor.url + path, name);
  } finally {
    await factor.remove();
  }
});

test('axe finds nothing on an account without printers', async ({ page, factor, owner }) => {
  await logIn(page, factor, owner);
  for (const { name, path } of only('owner')) await check(page, factor.url + path, name);
});

test("axe finds nothing on the administrator's pages", async ({ page, factor, admin }) => {
  await factor.addUser(somebody('Guest'));
  await logIn(page, factor, admin);
  for (const { name, path } of only('admin')) await check(page, factor.url + path, name);
});

test('axe finds nothing where printers are shown, whatever they do', async ({ page, factor, owner, api }) => {
  const fleet = await Fleet.start(factor, owner, 12, '--speed', '60');
  try {
    // By the state that they are in now: some will be in another one when their page opens.
    const byStatus = await until('printers are in different states', async () => {
      const found = new Map((await api.printers()).map((p) => [p.status, p.uuid]));
      return found.size >= 3 ? found : undefined;
    });
    await logIn(page, factor, owner);
    await check(page, `${factor.url}/printers`, 'cards');
    for (const name of ['table', 'wall', 'cameras'] as const) {
      await view(page, name);
      await settled(page);
      await expectAccessible(page, name);
    }
    for (const [status, uuid] of byStatus) await check(page, `${factor.url}/printers/${uuid}`, `a printer that was ${status}`);
    // Its camera's windows, with something wrong in one; Escape gives the focus back.
    const badge = page.getByRole('button', { name: /^LIVE/ });
    await badge.click();
    await expectAccessible(page, 'about the picture');
    await page.keyboard.press('Escape');
    await expect(badge).toBeFocused();
    const edit = page.getByRole('button', { name: en('camera_edit'), exact: true });
    await edit.click();
    await page.getByLabel(en('camera_url')).fill('ftp://camera/live');
    await page.getByRole('button', { name: en('common_save'), exact: true }).click();
    await expect(page.getByText(en('camera_url_scheme'))).toBeVisible();
    await expect(page.getByLabel(en('camera_url'))).toBeFocused();
    await expectAccessible(page, 'the cameras of a printer');
    await page.keyboard.press('Escape');
    await expect(edit).toBeFocused();
  } finally {
    await fleet.stop();
  }
});
