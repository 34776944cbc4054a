import type { Page } from '@playwright/test';
import { expect, test } from '@playwright/test';
import { median, watch } from '../harness/glass.ts';
import { fillLogin } from '../harness/pages.ts';
import { en } from '../harness/words.ts';
import { during, fault, Internet, slow } from './internet.ts';

const PATIENCE = 150_000;
const PORT = '8189'; // of WebRTC

let net: Internet;
let cameras: { mjpeg: string; h264: string; large: string };

test.beforeAll(async () => {
  test.setTimeout(300_000);
  net = await Internet.begin();
  cameras = await net.startCameras();
});
test.afterAll(() => net.end());

test.beforeEach(async ({ page }) => {
  // What the page itself calls its way is compared with what its peer connection says.
  await page.addInitScript(() => {
    const peers: RTCPeerConnection[] = [];
    Object.assign(window, { peers });
    window.RTCPeerConnection = class extends RTCPeerConnection {
      constructor(configuration?: RTCConfiguration) {
        super(configuration);
        peers.push(this);
      }
    };
  });
  await page.goto(`${net.url}/login`);
  await fillLogin(page, net.owner);
  await page.waitForURL('**/printers');
});
test.afterEach(async ({}, info) => {
  if (info.status === info.expectedStatus) return;
  console.log(`${JSON.stringify(await net.diagnosis().catch(String), undefined, 1)}\n${net.logs}`);
});

const open = async (page: Page): Promise<void> => {
  await page.goto(`${net.url}/printers/${net.uuid}`);
};

/** Waits for the picture on one rung, and that it moves; the median of its delay in ms. */
async function plays(page: Page, rung: string): Promise<number> {
  const view = page.locator('[data-camera]');
  await expect(view).toHaveAttribute('data-rung', rung, { timeout: PATIENCE });
  await expect(view).toHaveAttribute('data-state', 'live', { timeout: PATIENCE });
  const seen = await watch(page, 15, PATIENCE);
  expect(seen.frames, `${seen.unread} pictures without a clock`).toBe(15);
  await expect(view).toHaveAttribute('data-rung', rung);
  const delay = median(seen.delays);
  test.info().annotations.push({ type: 'delay', description: `${rung} ${delay} ms` });
  console.log(`  ${test.info().title}: ${rung}, p50 ${delay} ms`);
  return delay;
}

/** Waits until the page names the way, and how late the picture is. */
const says = (page: Page, way: string): Promise<void> =>
  expect(page.locator('[data-camera] .badge')).toHaveText(new RegExp(`LIVE · ${way.replace(/[()]/g, '\\$&')} (under )?\\d`), { timeout: PATIENCE });

/** How a page's WebRTC goes: what its own end of the way is, and that it is TURN's. */
const way = (page: Page): Promise<{ protocol?: string; candidateType?: string; relayProtocol?: string }> =>
  page.evaluate(async () => {
    for (const peer of (window as unknown as { peers: RTCPeerConnection[] }).peers) {
      if (peer.connectionState !== 'connected') continue;
      const stats = await peer.getStats();
      for (const report of stats.values()) {
        if (report.type !== 'candidate-pair' || !report.nominated) continue;
        const { protocol, candidateType, relayProtocol } = stats.get(report.localCandidateId);
        return { protocol, candidateType, relayProtocol };
      }
    }
    return {};
  });

test('NAT on both sides: WebRTC over UDP', async ({ page }) => {
  await net.setCamera({ name: 'Nozzle', stream_url: cameras.h264 });
  await open(page);
  expect(await plays(page, 'whep')).toBeLessThan(5_000);
  expect(await way(page)).toMatchObject({ protocol: 'udp' });
  await says(page, en('camera_rung_webrtc'));
});

test('UDP dropped: WebRTC over TCP', async ({ page }) => {
  await net.setCamera({ name: 'Nozzle', stream_url: cameras.h264 });
  await during(fault('office', 'ip protocol udp drop'), async () => {
    await open(page);
    await plays(page, 'whep');
    expect(await way(page)).toMatchObject({ protocol: 'tcp' });
    await says(page, en('camera_rung_webrtc_tcp'));
  });
});

test('the camera port closed altogether: HLS, and WebRTC again once it is open', async ({ page }) => {
  await net.setCamera({ name: 'Nozzle', stream_url: cameras.h264 });
  await during(fault('office', `udp dport ${PORT} drop`, `tcp dport ${PORT} drop`), async () => {
    await open(page);
    await plays(page, 'hls');
    await says(page, en('camera_rung_hls'));
  });
  await plays(page, 'whep');
  await says(page, en('camera_rung_webrtc'));
});

test('neither UDP nor the camera port, but a relay by TCP: WebRTC through TURN', async ({ page }) => {
  await net.setCamera({ name: 'Nozzle', stream_url: cameras.h264 });
  const stopRelay = await net.startRelay();
  try {
    await during(fault('office', 'ip protocol udp drop', `tcp dport ${PORT} drop`), async () => {
      await open(page);
      await plays(page, 'whep');
      expect(await way(page)).toMatchObject({ candidateType: 'relay', relayProtocol: 'tcp' });
      await says(page, en('camera_rung_webrtc_relay'));
    });
  } finally {
    await stopRelay();
  }
});

test('2 % of all packets lost: WebRTC goes on', async ({ page }) => {
  await net.setCamera({ name: 'Nozzle', stream_url: cameras.h264 });
  await during(fault('office', 'numgen random mod 50 == 0 drop'), async () => {
    await open(page);
    await plays(page, 'whep');
    await plays(page, 'whep');
  });
});

test('300 kbit/s from the printer: MJPEG keeps up by smaller and fewer pictures', async ({ page }) => {
  await net.setCamera({ name: 'Nozzle', stream_url: cameras.mjpeg, encode: 'never' });
  await during(slow('home', '300kbit'), async () => {
    await open(page);
    // Never the past: what the line cannot carry is left out before it is sent.
    await plays(page, 'mjpeg');
    await expect.poll(async () => median((await watch(page, 8, PATIENCE)).delays), { timeout: PATIENCE }).toBeLessThan(5_000);
  });
});

test('300 kbit/s from the printer, its owner lets it encode: WebRTC', async ({ page }) => {
  await net.setCamera({ name: 'Nozzle', stream_url: cameras.mjpeg, encode: 'always', max_kbps: 250 });
  await during(slow('home', '300kbit'), async () => {
    await open(page);
    await plays(page, 'whep');
    await expect.poll(async () => median((await watch(page, 8, PATIENCE)).delays), { timeout: PATIENCE }).toBeLessThan(5_000);
  });
});

test('300 kbit/s from the printer, 720p, and nothing set: H.264 by itself, and JPEGs again once the line is good', async ({ page }) => {
  await net.setCamera({ name: 'Nozzle', stream_url: cameras.large });
  await open(page);
  await plays(page, 'mjpeg');
  await during(slow('home', '300kbit'), async () => {
    await plays(page, 'whep');
    await expect.poll(async () => median((await watch(page, 8, PATIENCE)).delays), { timeout: PATIENCE }).toBeLessThan(5_000);
    expect(await net.diagnosis()).toMatchObject({ codec: 'h264', encoded: 'uplink' });
  });
  await plays(page, 'mjpeg');
  expect(await net.diagnosis()).toMatchObject({ codec: 'jpeg' });
});

for (const side of ['home', 'office'] as const) {
  test(`the ${side}'s link is cut and comes back: so does the picture, by itself`, async ({ page }) => {
    await net.setCamera({ name: 'Nozzle', stream_url: cameras.h264 });
    await open(page);
    await plays(page, 'whep');
    await during(fault(side, 'drop'), async () => {
      // The last picture may stand there, said to be old: a printer that is away has no player.
      await expect(page.locator('[data-camera][data-state="live"]')).toHaveCount(0, { timeout: PATIENCE });
      expect((await watch(page, 5, 5_000)).frames).toBeLessThan(2);
    });
    await plays(page, 'whep');
  });
}
