import type { Page } from '@playwright/test';
import { HlsCamera, MjpegCamera } from '../harness/camera.ts';
import { logIn, settled } from '../harness/pages.ts';
import { until } from '../harness/program.ts';
import { test } from '../harness/test.ts';

const TIMES = 5;

/** Of performance.now(). */
interface Times {
  clicked: number;
  shown: number;
}

/** The next click's time to the first picture on the screen: a video's first frame, or a canvas's first drawing. */
async function watch(page: Page): Promise<void> {
  await page.evaluate(() => {
    const seen = { clicked: 0, shown: 0 };
    Object.assign(window, { seen });
    addEventListener('click', () => (seen.clicked = performance.now()), { capture: true, once: true });
    const done = () => (seen.shown ||= performance.now());
    const drawn = CanvasRenderingContext2D.prototype.drawImage as (...all: unknown[]) => void;
    Object.assign(CanvasRenderingContext2D.prototype, {
      drawImage(this: CanvasRenderingContext2D, ...all: unknown[]) {
        drawn.apply(this, all);
        if (this.canvas.closest('[data-camera]')) requestAnimationFrame(() => done());
      },
    });
    new MutationObserver(() => {
      for (const video of document.querySelectorAll<HTMLVideoElement>('[data-camera] video:not([data-seen])')) {
        video.dataset.seen = '';
        video.requestVideoFrameCallback(() => done());
      }
    }).observe(document.body, { childList: true, subtree: true });
  });
}

/**
 * From the click on the printer's card to the first picture: of a camera that nobody looked at before, and of one whose
 * pictures the card has shown, which is how people come.
 */
test('first picture after the click', async ({ page, factor, owner, api, printer }) => {
  const cameras = { MJPEG: await MjpegCamera.start(), 'H.264': await HlsCamera.start() };
  await logIn(page, factor, owner);
  for (const [kind, camera] of Object.entries(cameras)) {
    for (const seen of [false, true]) {
      const took: number[] = [];
      for (let i = 0; i < TIMES; i++) {
        await api.call('PUT', `/printers/${printer.uuid}/cameras`, { items: [{ name: `Camera ${seen} ${i}`, stream_url: camera.url }] });
        if (!seen) await page.route('**/snapshot.jpg', (route) => route.abort());
        await page.goto(`${factor.url}/printers`);
        await settled(page);
        if (seen) await page.locator('[data-picture="fresh"]').waitFor();
        await watch(page);
        await page.getByRole('link', { name: printer.name }).click();
        const ended = () => page.evaluate(() => (window as unknown as { seen: Times }).seen);
        await until('there is a picture', async () => (await ended()).shown > 0);
        const { clicked, shown } = await ended();
        took.push(Math.round(shown - clicked));
        await page.unroute('**/snapshot.jpg');
      }
      took.sort((a, b) => a - b);
      console.log(`first picture after the click, ${kind}, ${seen ? 'seen on its card' : 'opened for it'}: median ${took[TIMES >> 1]} ms of ${took.join(', ')}; goal 1000 ms`);
    }
  }
  for (const camera of Object.values(cameras)) await camera.stop();
});
