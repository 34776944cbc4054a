import type { Page } from '@playwright/test';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logIn } from '../harness/pages.ts';
import { inTree, until } from '../harness/program.ts';
import { expect, test } from '../harness/test.ts';
import { en } from '../harness/words.ts';

/** A file of this name and content to choose in the page. */
async function file(name: string, content: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'factor-e2e-files-'));
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

const sliced = () => readFile(inTree('testdata/short.gcode'), 'utf8');

const upload = (page: Page, ...paths: string[]) => page.locator('input[type=file]').setInputFiles(paths);

/** How many points of the 3-D view are an outer wall's colour. */
const inks = (page: Page) =>
  page.locator('[data-layers] canvas').evaluate((canvas: HTMLCanvasElement) => {
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d')!;
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
    let n = 0;
    for (let i = 0; i < data.length; i += 4) if (data[i]! > 150 && data[i]! > 1.4 * data[i + 2]! && data[i + 3]! > 60) n++;
    return n;
  });

test('a file is uploaded, looked into, drawn, sent to the printer and printed', async ({ page, factor, owner, octoprint, printer }) => {
  await logIn(page, factor, owner);
  await page.getByRole('link', { name: en('shell_files') }).first().click();
  await expect(page.getByText(en('files_empty_title'))).toBeVisible();
  await upload(page, await file('부품 하나.gcode', await sliced()), await file('letter.gcode', 'Dear printer,\n'.repeat(50)));
  await expect(page.locator('li[data-name="부품 하나.gcode"]')).toHaveAttribute('data-state', 'done', { timeout: 60_000 });
  await expect(page.locator('li[data-name="letter.gcode"]')).toHaveAttribute('data-state', 'failed', { timeout: 60_000 });
  const row = page.locator('li[data-analysis]', { hasText: '부품 하나.gcode' });
  await expect(row).toHaveAttribute('data-analysis', 'done', { timeout: 60_000 });

  await row.getByRole('link', { name: '부품 하나.gcode' }).click();
  await expect(page.locator('[data-layers]')).toHaveAttribute('data-layers', /^[1-9]/, { timeout: 60_000 });
  await expect(page.getByText('PrusaSlicer')).toBeVisible();
  // The picture becomes whole: at first, of fewer layers, and after it was turned; and it is not empty.
  const whole = page.locator('[data-drawn="all"]');
  await expect(whole).toBeVisible({ timeout: 60_000 });
  const all = await inks(page);
  expect(all).toBeGreaterThan(200);
  await page.getByRole('slider').fill('0');
  await expect(whole).toBeVisible({ timeout: 60_000 });
  await expect.poll(() => inks(page), { timeout: 60_000 }).toBeLessThan(all);
  await page.getByRole('img', { name: en('toolpath_label') }).press('ArrowRight');
  await expect(whole).toBeVisible({ timeout: 60_000 });
  expect(await inks(page)).toBeGreaterThan(50);


  await page.getByRole('button', { name: en('file_print'), exact: true }).click();
  const dialog = page.getByRole('dialog');
  const choice = dialog.getByRole('checkbox', { name: printer.name });
  await expect(choice).toBeChecked({ timeout: 30_000 }); // the only one there is
  await octoprint.speed(10);
  await dialog.getByRole('button', { name: new RegExp(`^(${en('file_print_on', { count: '1' })}|${en('file_print_anyway')})$`) }).click();
  await expect(dialog.locator('[data-stage="done"]')).toBeVisible({ timeout: 120_000 });
  const job = await until('OctoPrint prints it', async () => {
    const now = await octoprint.job();
    return now.job.file.name ? now : undefined;
  });
  expect(job.job.file.name).toMatch(/\.gcode$/);

  // The printer's page marks in the file's picture where the print is about, and the mark goes on.
  await page.goto(`${factor.url}/printers/${printer.uuid}`);
  const path = page.getByRole('region', { name: en('toolpath_title'), exact: true });
  await path.getByRole('button', { name: en('toolpath_show') }).click();
  const mark = path.locator('.nozzle');
  await expect(mark).toBeVisible({ timeout: 60_000 });
  await expect(path.getByText(en('toolpath_approximate'))).toBeVisible();
  const before = await mark.getAttribute('style');
  await expect.poll(() => mark.getAttribute('style'), { timeout: 60_000 }).not.toBe(before);
  await octoprint.cancel().catch(() => undefined);
});

test('an upload goes on after the page was loaded anew', async ({ page, factor, owner }) => {
  await logIn(page, factor, owner);
  await page.goto(`${factor.url}/files`);
  // Larger than what is sent at a time, and slow enough to be caught in the middle.
  const one = await sliced();
  const path = await file('large.gcode', one.replace('\nG1 ', `\n${'; padding\n'.repeat(4 << 20)}G1 `));
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 12 << 20 });
  await upload(page, path);
  const line = page.locator('li[data-name="large.gcode"]');
  await expect(line.getByRole('progressbar')).not.toHaveAttribute('aria-valuenow', '0', { timeout: 60_000 });
  await page.reload();
  await expect(line).toHaveAttribute('data-state', 'done', { timeout: 120_000 });
  await expect(page.locator('li[data-analysis]', { hasText: 'large.gcode' })).toBeVisible();
});

test('several files dropped at once go on after the network was lost', async ({ page, factor, owner }) => {
  await logIn(page, factor, owner);
  await page.goto(`${factor.url}/files`);
  await expect(page.getByText(en('files_empty_title'))).toBeVisible();
  const dropped = await page.evaluateHandle(
    ([content, long]) => {
      const data = new DataTransfer();
      for (const [name, text] of [['하나.gcode', content], ['two.gcode', content], ['long.gcode', long]] as const) data.items.add(new File([text!], name));
      return data;
    },
    [await sliced(), `G28\n${'; padding\n'.repeat(2 << 20)}${await sliced()}`],
  );
  const session = await page.context().newCDPSession(page);
  const network = (offline: boolean) =>
    session.send('Network.emulateNetworkConditions', { offline, latency: 0, downloadThroughput: -1, uploadThroughput: 6 << 20 });
  await session.send('Network.enable');
  await network(false);
  await page.locator('body').dispatchEvent('dragenter', { dataTransfer: dropped });
  await page.locator('main').first().dispatchEvent('drop', { dataTransfer: dropped });
  const line = (name: string) => page.locator(`li[data-name="${name}"]`);
  await expect(line('long.gcode').getByRole('progressbar')).not.toHaveAttribute('aria-valuenow', '0', { timeout: 60_000 });
  await network(true);
  await expect(line('long.gcode')).toHaveAttribute('data-state', 'lost', { timeout: 60_000 });
  await network(false);
  for (const name of ['하나.gcode', 'two.gcode', 'long.gcode']) {
    await expect(line(name)).toHaveAttribute('data-state', 'done', { timeout: 120_000 });
    await expect(page.locator('li[data-analysis]', { hasText: name })).toBeVisible();
  }
});

test("a file goes to the SD card and is deleted there; one of the device's own comes into the library", async ({ page, factor, owner, api, octoprint, printer }) => {
  await octoprint.upload('하나뿐.gcode', await sliced());
  await logIn(page, factor, owner);
  await page.goto(`${factor.url}/files`);
  const few = `G28\nM104 S45\n${Array.from({ length: 60 }, (_, i) => `G1 X${10 + i} Y20 Z0.2 E${i / 10} F3000\n`).join('')}M104 S0\n`;
  await upload(page, await file('for the card.gcode', few));
  const row = page.locator('li[data-analysis]', { hasText: 'for the card.gcode' });
  await expect(row).toHaveAttribute('data-analysis', 'done', { timeout: 60_000 });
  await row.getByRole('button', { name: en('file_print_named', { name: 'for the card.gcode' }) }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByRole('checkbox', { name: printer.name })).toBeChecked({ timeout: 60_000 });
  await dialog.getByText(en('file_print_sd'), { exact: true }).click();
  await dialog.getByLabel(en('file_print_at_once')).uncheck();
  await dialog.getByRole('button', { name: new RegExp(`^(${en('file_send_to', { count: '1' })}|${en('file_print_anyway')})$`) }).click();
  await expect(dialog.locator('[data-stage="done"]')).toBeVisible({ timeout: 120_000 });
  // The virtual printer lists no file whose name has no more than eight letters.
  await expect.poll(() => octoprint.files('sdcard')).toHaveLength(1);

  await page.goto(`${factor.url}/printers/${printer.uuid}`);
  const files = page.getByRole('region', { name: en('control_files'), exact: true });
  const button = (key: string, name: string) => files.getByRole('button', { name: en(key, { file: name }), exact: true });
  await button('control_files_bring_named', '하나뿐.gcode').click();
  await expect(files.locator('a[href^="/files/"]')).toBeVisible({ timeout: 120_000 });
  const [brought] = (await api.call<{ items: { name: string; size: number; sha256: string }[] }>('GET', '/files?q=하나뿐')).items;
  expect(brought).toMatchObject({ name: '하나뿐.gcode', sha256: createHash('sha256').update(await sliced()).digest('hex') });

  await files.getByText(en('control_files_sdcard'), { exact: true }).click();
  const [onCard] = await octoprint.files('sdcard');
  await expect(button('control_files_bring_named', onCard!)).toHaveAccessibleDescription(en('control_files_bring_sd'));
  await button('control_files_delete_named', onCard!).click();
  await page.getByRole('dialog').getByRole('button', { name: en('control_files_delete'), exact: true }).click();
  await expect.poll(() => octoprint.files('sdcard'), { timeout: 60_000 }).toEqual([]);
  await expect(button('control_files_delete_named', onCard!)).toHaveCount(0, { timeout: 60_000 });
  expect(await octoprint.files('local')).toContain('하나뿐.gcode');
});
