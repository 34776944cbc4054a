import type { Page } from '@playwright/test';
import { MjpegCamera } from '../harness/camera.ts';
import { at } from '../harness/pages.ts';
import { test } from '../harness/test.ts';
import { en, ko, type Language } from '../harness/words.ts';
import { keep } from './keep.ts';
import { looks, open } from './look.ts';

/** What is typed in for each kind that docs/…/cameras.md tells of, by the name of its picture. */
const kinds: [picture: string, name: Record<Language, string>, address: string][] = [
  ['mjpeg', { en: 'Nozzle', ko: '노즐' }, 'http://192.168.0.20:8080/?action=stream'],
  ['jpeg', { en: 'Workshop', ko: '작업실' }, 'http://192.168.0.20:8080/?action=snapshot'],
  ['rtsp', { en: 'IP camera', ko: 'IP 카메라' }, 'rtsp://viewer:p%40ssword@192.168.0.21:554/stream1'],
  ['hls', { en: 'Chamber', ko: '챔버' }, 'http://192.168.0.22:8888/cam/index.m3u8'],
  ['whep', { en: 'Chamber', ko: '챔버' }, 'http://192.168.0.22:8889/cam/whep'],
  ['onvif', { en: 'IP camera', ko: 'IP 카메라' }, 'onvif://viewer:p%40ssword@192.168.0.21'],
  ['published', { en: 'Webcam', ko: '웹캠' }, 'http://127.0.0.1:8080/stream'],
  ['usb', { en: 'USB camera', ko: 'USB 카메라' }, 'v4l2:///dev/video0?size=1280x720&fps=15'],
];

async function dialog(page: Page, language: Language): Promise<void> {
  const word = language === 'ko' ? ko : en;
  await page.getByRole('button', { name: word('camera_edit'), exact: true }).click();
  const settings = page.getByRole('dialog', { name: word('camera_edit_title') });
  const row = settings.locator('fieldset').first();
  for (const [picture, name, address] of kinds) {
    await row.getByLabel(word('camera_name')).fill(name[language]);
    await row.getByLabel(word('camera_url')).fill(address);
    await row.getByLabel(word('camera_url')).blur();
    await keep(`${language}-camera-${picture}`, (path) => row.screenshot({ path }));
  }
  await row.getByText(word('camera_slow')).click();
  await row.getByLabel(word('camera_max_kbps')).fill('800');
  await row.getByLabel(word('camera_encode')).selectOption('always');
  await row.getByLabel(word('camera_encode')).blur();
  await keep(`${language}-camera-slow`, (path) => row.screenshot({ path }));
  await page.keyboard.press('Escape');
}

/** The pictures of docs/…/cameras.md. */
test('the settings of each kind of camera', async ({ browser, factor, owner, api, printer }) => {
  const camera = await MjpegCamera.start();
  await api.call('PUT', `/printers/${printer.uuid}/cameras`, { items: [{ name: 'Nozzle', stream_url: camera.url }] });
  for (const look of looks.filter((look) => look.device === 'desktop' && look.theme === 'light')) {
    const page = await open(browser, look, factor, owner);
    await page.setViewportSize({ width: 1080, height: 900 });
    await page.goto(`${factor.url}/printers/${printer.uuid}`);
    await page.locator('[data-camera][data-state="live"]').waitFor();
    await dialog(page, look.language);
    await page.getByRole('button', { name: /^LIVE · MJPEG/ }).click();
    await page.getByRole('dialog').getByText('640 × 360').waitFor();
    await at(page, printer.uuid).waitFor();
    await keep(`${look.language}-camera-about`, (path) => page.screenshot({ path, clip: { x: 240, y: 90, width: 830, height: 700 } }));
    await page.context().close();
  }
  await camera.stop();
});
