import { readFile } from 'node:fs/promises';
import { send } from '../harness/library.ts';
import { settled } from '../harness/pages.ts';
import { inTree } from '../harness/program.ts';
import { expect, test } from '../harness/test.ts';
import { keep } from './keep.ts';

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
    const few = 'split[a][b];[a]palettegen=max_colors=96[p];[b][p]paletteuse=dither=none';
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
