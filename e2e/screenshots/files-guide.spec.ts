import { readFile } from 'node:fs/promises';
import { send } from '../harness/library.ts';
import { settled } from '../harness/pages.ts';
import { inTree, until } from '../harness/program.ts';
import { expect, test } from '../harness/test.ts';
import { words } from '../harness/words.ts';
import { keep } from './keep.ts';

const few = 'split[a][b];[a]palettegen=max_colors=96[p];[b][p]paletteuse=dither=none';
const names = {
  en: { folder: 'Lamps', files: ['Vase.gcode', 'Lamp shade.gcode', 'Hook.gcode'], tag: 'gift' },
  ko: { folder: '조명', files: ['꽃병.gcode', '전등갓.gcode', '걸이.gcode'], tag: '선물' },
};

test('the pictures of files in the documentation', async ({ browser, factor, admin, owner }) => {
  test.setTimeout(400_000);
  const pictured = await readFile(inTree('internal/server/file/gcode/testdata/prusa-two-tools.gcode'));
  const sample = await readFile(inTree('testdata/sample.gcode'));
  const short = await readFile(inTree('testdata/short.gcode'));
  const who = { en: owner, ko: admin };
  for (const language of ['en', 'ko'] as const) {
    const api = await factor.as(who[language]);
    await api.call('PATCH', '/me', { language, name: language === 'ko' ? '미나' : 'Mina' });
    const { files, folder, tag } = names[language];
    const ids: string[] = [];
    for (const [i, body] of [sample, pictured, short].entries()) ids.push(await send(api, files[i]!, body));
    await api.call('POST', '/folders', { path: folder });
    await api.call('PATCH', `/files/${ids[1]}`, { tags: [tag] });
    const context = await browser.newContext({ viewport: { width: 1100, height: 720 }, locale: language === 'ko' ? 'ko-KR' : 'en-GB', reducedMotion: 'reduce' });
    const page = await context.newPage();
    const { email, password } = who[language];
    await context.request.post(`${factor.url}/api/v1/session`, { data: { email, password } });
    const shoot = (name: string) => keep(`${language}-${name}`, (path) => page.screenshot({ path, animations: 'disabled' }), few);
    await page.goto(`${factor.url}/files`);
    await expect(page.getByRole('link', { name: files[1]! })).toBeVisible();
    await settled(page);
    await shoot('files');
    await page.goto(`${factor.url}/files/${ids[0]}`);
    await expect(page.locator('[data-drawn="all"]')).toBeVisible({ timeout: 120_000 });
    const slider = page.locator('[data-layers] input[type=range]');
    await slider.fill(String(Math.round(Number(await slider.getAttribute('max')) * 0.7)));
    await expect(page.locator('[data-drawn="all"]')).toBeVisible({ timeout: 120_000 });
    await settled(page);
    await shoot('files-path');
    await context.close();
  }
});

test('the pictures of printing in the documentation', async ({ browser, factor, owner, api, octoprint, printer }) => {
  test.setTimeout(400_000);
  const sample = await readFile(inTree('testdata/sample.gcode'), 'utf8');
  const short = await readFile(inTree('testdata/short.gcode'), 'utf8');
  const hotAndWide = sample.replace(/^(M10[49]) S\d+/gm, '$1 S310').replace(/^(G1 .*)X1(\d\d)/gm, '$1X2$2');
  const there = `/printers/${printer.uuid}`;
  const tree = () => api.call<{ local: { path: string }[]; sdcard: unknown[] }>('GET', `${there}/files`);
  const clip = await send(api, 'Clip for the card.gcode', Buffer.from(`G28\nM104 S45\n${'G1 X10 Y20 Z0.2 E1 F3000\nG1 X40 Y20 E2\n'.repeat(20)}M104 S0\n`));
  await api.call('POST', `${there}/print`, { file: clip, target: 'sdcard', print: false, anyway: true });
  await until('the card has it', async () => (await tree()).sdcard.length > 0);
  for (const language of ['en', 'ko'] as const) {
    const say = words(language);
    const { files } = names[language];
    for (const { path } of (await tree()).local) await api.call('POST', `${there}/commands`, { type: 'delete_file', origin: 'local', path });
    for (const name of files) await octoprint.upload(name, short);
    await until('the device tells them', async () => {
      const { local } = await tree();
      return local.length === files.length && files.every((name) => local.some(({ path }) => path === name));
    });
    await api.call('PATCH', '/me', { language, name: language === 'ko' ? '미나' : 'Mina' });
    await send(api, files[1]!, Buffer.from(hotAndWide));
    const context = await browser.newContext({ viewport: { width: 1100, height: 820 }, locale: language === 'ko' ? 'ko-KR' : 'en-GB', reducedMotion: 'reduce' });
    const page = await context.newPage();
    const { email, password } = owner;
    await context.request.post(`${factor.url}/api/v1/session`, { data: { email, password } });
    await page.goto(`${factor.url}/files`);
    await page.getByRole('button', { name: say('file_print_named', { name: files[1]! }), exact: true }).click();
    const dialog = page.getByRole('dialog');
    await expect(dialog.locator('.note').nth(1)).toBeVisible({ timeout: 60_000 });
    await settled(page);
    await keep(`${language}-files-print`, (path) => dialog.screenshot({ path, animations: 'disabled' }), few);
    await page.goto(factor.url + there);
    const card = page.getByRole('region', { name: say('control_files'), exact: true });
    await expect(card.getByText(files[2]!)).toBeVisible();
    await settled(page);
    await keep(`${language}-files-device`, (path) => card.screenshot({ path, animations: 'disabled' }), few);
    await context.close();
  }
});
