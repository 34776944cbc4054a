import type { Page } from '@playwright/test';
import type { Api } from '../harness/api.ts';
import { HlsCamera, MjpegCamera } from '../harness/camera.ts';
import { at, logIn } from '../harness/pages.ts';
import { expect, test } from '../harness/test.ts';
import { en } from '../harness/words.ts';

/** Ends what runs, as a network does. */
interface Cuts {
  cutWebRTC(): void;
  cutMJPEG(): void;
}

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

    // What can be done with it, by keyboard too.
    await view.getByRole('button', { name: en('camera_zoom_in') }).click();
    await expect(view).toHaveClass(/zoomed/);
    await view.focus();
    await page.keyboard.press('0');
    await expect(view).not.toHaveClass(/zoomed/);
    const download = page.waitForEvent('download');
    await view.getByRole('button', { name: en('camera_save') }).click();
    expect((await download).suggestedFilename()).toMatch(/^Prusa MK4 – Nozzle .*\.jpg$/);
    await view.getByRole('button', { name: en('camera_full') }).click();
    await expect.poll(() => page.evaluate(() => document.fullscreenElement?.hasAttribute('data-camera'))).toBe(true);
    await view.getByRole('button', { name: en('camera_full') }).click();
    await expect.poll(() => page.evaluate(() => document.fullscreenElement)).toBe(null);
    await view.getByRole('button', { name: en('camera_float') }).click();
    await expect.poll(() => page.evaluate(() => (document.pictureInPictureElement as HTMLVideoElement | null)?.videoWidth)).toBe(640);
    await view.getByRole('button', { name: en('camera_float') }).click();
    await expect.poll(() => page.evaluate(() => document.pictureInPictureElement)).toBe(null);
    await view.getByRole('button', { name: /^LIVE · MJPEG/ }).click();
    await expect(page.getByRole('dialog').getByText('640 × 360')).toBeVisible();
    await page.keyboard.press('Escape');

    // Another one, which hangs upside down.
    await page.getByRole('button', { name: en('camera_edit'), exact: true }).click();
    const settings = page.getByRole('dialog', { name: en('camera_edit_title') });
    await settings.getByRole('button', { name: en('camera_add'), exact: true }).click();
    await settings.getByLabel(en('camera_name')).last().fill('Bed');
    // What no agent can read is refused here and not when it is to be seen.
    await settings.getByLabel(en('camera_url')).last().fill('wss://127.0.0.1/stream');
    await settings.getByRole('button', { name: en('common_save'), exact: true }).click();
    await expect(settings.getByText(en('camera_url_scheme'))).toBeVisible();
    await settings.getByLabel(en('camera_url')).last().fill(camera.url);
    await settings.getByLabel(en('camera_rotation'), { exact: true }).last().selectOption('180');
    await settings.getByRole('button', { name: en('common_save'), exact: true }).click();
    await expect(settings).toBeHidden();
    await page.getByRole('button', { name: en('camera_all') }).click();
    await expect(page.locator('[data-camera][data-state="live"]')).toHaveCount(2, { timeout: 60_000 });
    await page.getByRole('button', { name: 'Nozzle', exact: true }).first().click();
    await expect(view).toHaveCount(1);

    // It goes away: the page says why.
    await camera.stop();
    await expect(view.getByRole('button', { name: en('camera_why') })).toBeVisible({ timeout: 90_000 });
    await view.getByRole('button', { name: en('camera_why') }).click();
    const why = page.getByRole('dialog');
    await expect(why.getByText('Nothing answers at the camera')).toBeVisible({ timeout: 60_000 });
    await expect(why.getByText(/\bunreachable\b/)).toBeVisible();
    await expect(why.getByText('127.0.0.1')).toHaveCount(0); // an address may hold a password
  } finally {
    await camera.stop();
  }
});

test('an H.264 camera comes by the best way that is open, down to single pictures and up again', async ({ page, factor, owner, api, printer }) => {
  test.setTimeout(360_000);
  const camera = await HlsCamera.start();
  const relay = { urls: ['turn:127.0.0.1:9?transport=tcp'], username: 'u', credential: 'c' };
  await page.addInitScript(() => {
    const Real = RTCPeerConnection;
    const peers: RTCPeerConnection[] = [];
    const streams: AbortController[] = [];
    Object.assign(window, {
      relays: [] as unknown[],
      cutWebRTC: () => peers.forEach((peer) => peer.close()),
      cutMJPEG: () => streams.forEach((stream) => stream.abort(new TypeError('cut'))),
    });
    const fetched = window.fetch;
    window.fetch = ((what: string, options?: RequestInit) => {
      if (!/\/mjpeg\b/.test(what)) return fetched(what, options);
      const cut = new AbortController();
      streams.push(cut);
      return fetched(what, { ...options, signal: AbortSignal.any([cut.signal, ...(options?.signal ? [options.signal] : [])]) });
    }) as typeof fetch;
    window.RTCPeerConnection = class extends Real {
      constructor(settings?: RTCConfiguration) {
        super(settings);
        peers.push(this);
      }
      setConfiguration(settings: RTCConfiguration) {
        super.setConfiguration(settings);
        (window as unknown as { relays: unknown[] }).relays.push(...(settings.iceServers ?? []));
      }
    };
  });
  await page.route(/\/cameras\/[^/]+\?wait=/, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), ice_servers: [relay] } });
  });
  try {
    await setCamera(api, printer.uuid, camera.url);
    await logIn(page, factor, owner);
    await page.goto(`${factor.url}/printers/${printer.uuid}`);
    const view = page.locator('[data-camera]');
    /** The page takes a way by itself, says which and how late it is, and the picture moves. */
    const comes = async (rung: string, name: string) => {
      await expect(view).toHaveAttribute('data-rung', rung, { timeout: 90_000 });
      await expect(view.getByRole('button', { name: new RegExp(`^LIVE · ${name} .*\\d`) })).toBeVisible({ timeout: 30_000 });
      await advances(page);
    };
    await comes('whep', en('camera_rung_webrtc'));
    // The server's relays are in the offer already.
    expect(await page.evaluate(() => (window as unknown as { relays: unknown[] }).relays[0])).toEqual(relay);

    // Each way ends while its picture runs, and nobody touches the page.
    await page.route('**/whep', (route) => route.abort());
    await page.evaluate(() => (window as unknown as Cuts).cutWebRTC());
    await comes('hls', en('camera_rung_hls'));
    await page.route('**/hls/**', (route) => route.fulfill({ status: 404 }));
    await comes('mjpeg', en('camera_rung_mjpeg'));
    await page.route('**/mjpeg', (route) => route.abort());
    await page.evaluate(() => (window as unknown as Cuts).cutMJPEG());
    await comes('picture', en('camera_rung_pictures'));

    for (const blocked of ['**/whep', '**/hls/**', '**/mjpeg']) await page.unroute(blocked);
    await page.evaluate(() => dispatchEvent(new Event('online'))); // else it waits a minute for what has failed twice
    await comes('whep', en('camera_rung_webrtc'));
  } finally {
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    await camera.stop();
  }
});

test('where neither UDP nor TCP gets through, the picture comes by HLS and the page says why', async ({ page, factor, owner, api, printer }) => {
  const camera = await HlsCamera.start();
  try {
    await setCamera(api, printer.uuid, camera.url);
    await logIn(page, factor, owner);
    // The network lets nothing through to the camera port: what the server names is nobody's.
    await page.route('**/whep', async (route) => {
      const answer = await route.fetch();
      const sdp = (await answer.text()).replace(/^(a=candidate:\S+ \d \S+ \d+) \S+ \d+/gm, '$1 192.0.2.1 9');
      await route.fulfill({ response: answer, body: sdp });
    });
    await page.goto(`${factor.url}/printers/${printer.uuid}`);
    const view = page.locator('[data-camera]');
    await expect(view).toHaveAttribute('data-rung', 'hls', { timeout: 90_000 });
    await view.getByRole('button', { name: /^LIVE · HLS/ }).click();
    await expect(page.getByRole('dialog').getByText(/\btcp_blocked\b/)).toBeVisible();

    // As many look as may: pictures come nevertheless, and nobody blames the network.
    const body = JSON.stringify({ status: 429, code: 'too_many_viewers' });
    await page.route(/\/(whep|hls|mjpeg)\b/, (route) => route.fulfill({ status: 429, contentType: 'application/problem+json', body }));
    await page.reload();
    await expect(view).toHaveAttribute('data-rung', 'picture', { timeout: 60_000 });
    await view.getByRole('button', { name: /^LIVE/ }).click();
    await expect(page.getByRole('dialog').getByText(en('camera_error_full'))).toBeVisible();
  } finally {
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    await camera.stop();
  }
});
