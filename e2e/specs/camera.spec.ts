import type { Page } from '@playwright/test';
import type { Api } from '../harness/api.ts';
import { HlsCamera, MjpegCamera } from '../harness/camera.ts';
import { at, logIn } from '../harness/pages.ts';
import { expect, test } from '../harness/test.ts';
import { en } from '../harness/words.ts';

const setCamera = (api: Api, uuid: string, url: string) =>
  api.call('PUT', `/printers/${uuid}/cameras`, { items: [{ name: 'Nozzle', stream_url: url }] });

/** What the picture shows now, as one number that changes with it. */
const look = (page: Page): Promise<number> =>
  page.evaluate(() => {
    const shown = document.querySelector<HTMLVideoElement | HTMLCanvasElement>('[data-camera] video, [data-camera] canvas');
    if (!shown) return 0;
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [320, 180];
    const paper = canvas.getContext('2d')!;
    paper.drawImage(shown, 0, 0, 320, 180);
    return paper.getImageData(0, 0, 320, 180).data.reduce((sum, value, i) => (sum * 31 + value * (i % 251)) % 2147483647, 7);
  });

async function advances(page: Page): Promise<void> {
  const before = await look(page);
  expect(before).not.toBe(0);
  await expect.poll(() => look(page), { timeout: 30_000 }).not.toBe(before);
}

test('an MJPEG camera is live on its page and on the dashboard', async ({ page, factor, owner, api, printer }) => {
  const camera = await MjpegCamera.start();
  try {
    await setCamera(api, printer.uuid, camera.url);
    await logIn(page, factor, owner);
    await expect(at(page, printer.uuid).locator('[data-picture="fresh"] img')).toBeVisible({ timeout: 60_000 });
    await page.getByRole('link', { name: printer.name }).click();
    const view = page.locator('[data-camera]');
    await expect(view).toHaveAttribute('data-state', 'live', { timeout: 60_000 });
    await expect(view).toHaveAttribute('data-rung', 'mjpeg');
    await expect(view.getByText('LIVE')).toBeVisible();
    await advances(page);

    // The camera goes away and comes back: the page says why, and the picture returns by itself.
    await camera.stop();
    await expect(view.getByRole('button', { name: en('camera_why') })).toBeVisible({ timeout: 90_000 });
    await view.getByRole('button', { name: en('camera_why') }).click();
    const why = page.getByRole('dialog');
    await expect(why).toBeVisible();
    await expect(why.getByText('127.0.0.1')).toHaveCount(0); // an address may hold a password
  } finally {
    await camera.stop();
  }
});

test('an H.264 camera comes by WebRTC', async ({ page, factor, owner, api, printer }) => {
  const camera = await HlsCamera.start();
  try {
    await setCamera(api, printer.uuid, camera.url);
    await logIn(page, factor, owner);
    await page.goto(`${factor.url}/printers/${printer.uuid}`);
    const view = page.locator('[data-camera]');
    await expect(view).toHaveAttribute('data-state', 'live', { timeout: 90_000 });
    await expect(view).toHaveAttribute('data-rung', 'whep', { timeout: 60_000 });
    await advances(page);
  } finally {
    await camera.stop();
  }
});
