import type { Page } from '@playwright/test';
import { ClockCamera } from '../harness/camera.ts';
import { median, watch } from '../harness/glass.ts';
import { logIn } from '../harness/pages.ts';
import { expect, test } from '../harness/test.ts';

// From the camera's clock to the pixels on the page: frames advance on each rung, and with each kind of camera.

let camera: ClockCamera;
test.beforeEach(async () => {
  camera = await ClockCamera.start();
});
test.afterEach(() => camera.stop());

/** Waits for a rung, and measures. most is what it may take on a machine that has other work, ms. */
async function measure(page: Page, what: string, rung: string, most: number, frames = 20): Promise<void> {
  const view = page.locator('[data-camera]');
  await expect(view).toHaveAttribute('data-rung', rung, { timeout: 90_000 });
  await expect(view).toHaveAttribute('data-state', 'live', { timeout: 60_000 });
  // What was kept comes first, and is as old as it is; a machine that has other work needs a while to catch up.
  await expect.poll(async () => median((await watch(page, Math.min(frames, 8))).delays), { timeout: 90_000 }).toBeLessThan(most);
  const seen = await watch(page, frames, 90_000);
  expect(seen.frames, `${seen.unread} pictures without a clock`).toBe(frames);
  const delay = median(seen.delays);
  console.log(`  ${what}: ${rung}, glass to glass p50 ${delay} ms`);
  expect(delay).toBeGreaterThan(-1);
}

test('an RTSP camera on every rung of the ladder', async ({ page, factor, owner, api, printer }) => {
  test.setTimeout(360_000);
  const { rtsp } = await camera.published('h264');
  await api.call('PUT', `/printers/${printer.uuid}/cameras`, { items: [{ name: 'Nozzle', stream_url: rtsp }] });
  await logIn(page, factor, owner);
  await page.goto(`${factor.url}/printers/${printer.uuid}`);
  await measure(page, 'RTSP H.264', 'whep', 5_000);
  for (const [blocked, rung, most, frames] of [
    ['**/whep', 'hls', 15_000, 20],
    ['**/hls/**', 'mjpeg', 5_000, 20],
    ['**/mjpeg', 'picture', 10_000, 3],
  ] as const) {
    await page.route(blocked, (route) => route.abort());
    await page.reload();
    await measure(page, 'RTSP H.264', rung, most, frames);
  }
});

test('cameras of MJPEG, by WHEP, by RTMP, of files of HLS and of H.265', async ({ page, factor, owner, api, printer }) => {
  test.setTimeout(360_000);
  await logIn(page, factor, owner);
  for (const { name, url, rung } of [
    { name: 'MJPEG', url: async () => camera.plain, rung: 'mjpeg' },
    { name: 'MJPEG of ffmpeg', url: () => camera.remade(), rung: 'mjpeg' },
    { name: 'HLS', url: () => camera.files(), rung: 'whep' }, // whole segments behind by itself
    { name: 'WHEP', url: async () => (await camera.published('h264')).whep, rung: 'whep' },
    { name: 'RTMP', url: async () => (await camera.published('h264')).rtmp, rung: 'whep' },
    { name: 'RTSP H.265', url: async () => (await camera.published('h265')).rtsp, rung: 'whep' }, // H.264 beside the printer
  ]) {
    await api.call('PUT', `/printers/${printer.uuid}/cameras`, { items: [{ name, stream_url: await url() }] });
    await page.goto(`${factor.url}/printers/${printer.uuid}`);
    await measure(page, name, rung, name === 'HLS' ? 20_000 : 8_000);
  }
});
