import type { Page } from '@playwright/test';
import { mkdirSync } from 'node:fs';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { send } from '../harness/library.ts';
import { inTree, until } from '../harness/program.ts';
import { expect, test } from '../harness/test.ts';
import { words } from '../harness/words.ts';
import { few, folder, open, take, takeAt } from './look.ts';

test.beforeAll(() => mkdirSync(folder, { recursive: true }));

const long = '아주 긴 이름의 거치대 부품 왼쪽 아래 나사 구멍 수정본 최종 진짜 최종 v12 (bracket lower left, final).gcode';

/** Slower than the file is long, so that a picture can be taken of it on its way. */
async function slowly(page: Page, bytesPerSecond: number): Promise<(offline?: boolean) => Promise<unknown>> {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  const set = (offline = false) =>
    session.send('Network.emulateNetworkConditions', { offline, latency: 0, downloadThroughput: -1, uploadThroughput: bytesPerSecond });
  await set();
  return set;
}

/** The library, what is on its way, and what a person is asked before a print. */
test('files', async ({ browser, factor, owner, api, octoprint, printer }) => {
  const at = await mkdtemp(join(tmpdir(), 'factor-e2e-looks-'));
  const one = await readFile(inTree('testdata/sample.gcode'), 'utf8');
  const write = async (name: string, text: string) => {
    const path = join(at, name);
    await writeFile(path, text);
    return path;
  };
  await octoprint.upload('calibration-cube.gcode', await readFile(inTree('testdata/short.gcode'), 'utf8'));
  const sample = await write('꽃병.gcode', one);
  const named = await write(long, `${one}\n; another`);
  const hot = await write('too-hot.gcode', one.replace(/^(M10[49]) S\d+/gm, '$1 S330').replace(/^(G1 .*)X1(\d\d)/gm, '$1X9$2'));
  const letter = await write('letter.gcode', 'Dear printer,\n'.repeat(50));
  const cut = await write('cut-off.bgcode', 'GCDE\u0001');
  const big = await write('large.gcode', `${one}${'; padding\n'.repeat(3 << 20)}`);
  const text = await write('notes.txt', 'x');
  const first = { ...few[0]! };
  {
    const page = await open(browser, first, factor, owner);
    await page.goto(`${factor.url}/files`);
    for (const look of few) {
      const empty = await open(browser, look, factor, owner);
      await empty.goto(`${factor.url}/files`);
      await take(empty, look, 'files-empty');
      await empty.context().close();
    }
    await page.locator('input[type=file]').setInputFiles([sample, named, hot]);
    await expect(page.locator('li[data-analysis="done"]')).toHaveCount(3, { timeout: 120_000 });
    await page.context().close();
  }
  const { items } = await api.call<{ items: { id: string; name: string }[] }>('GET', '/files');
  const id = (name: string) => items.find((f) => f.name === name)!.id;
  await api.call('POST', '/folders', { path: '거치대/왼쪽' });
  await api.call('POST', '/folders', { path: 'Spare parts' });
  await api.call('PATCH', `/files/${id('꽃병.gcode')}`, { tags: ['PLA', '선물'] });
  await until('the device tells its files', async () => (await api.call<{ local: unknown[] }>('GET', `/printers/${printer.uuid}/files`)).local.length > 0);

  for (const look of few) {
    const page = await open(browser, look, factor, owner);
    const say = words(look.language);
    const shot = (name: string, full = true) => take(page, look, `files-${name}`, full);
    await page.goto(`${factor.url}/files`);
    await shot('library');
    await page.locator('body').dispatchEvent('dragenter', {
      dataTransfer: await page.evaluateHandle(() => {
        const data = new DataTransfer();
        data.items.add(new File(['G28'], 'a.gcode'));
        return data;
      }),
    });
    await shot('drag', false);
    await page.goto(`${factor.url}/files?folder=${encodeURIComponent('거치대/왼쪽')}`);
    await shot('folder');
    await page.goto(`${factor.url}/files`);
    await page.getByRole('searchbox').or(page.getByLabel(say('files_search'))).first().fill('nowhere');
    await expect(page.getByText(say('files_none_title'))).toBeVisible();
    await shot('none');

    await page.goto(`${factor.url}/files`);
    const set = await slowly(page, 2 << 20);
    await page.route('**/api/v1/files', async (route) => {
      const metadata = route.request().headers()['upload-metadata'] ?? '';
      if (!metadata.includes(Buffer.from('too-hot.gcode').toString('base64'))) return route.fallback();
      await route.fulfill({ status: 507, contentType: 'application/problem+json', body: JSON.stringify({ status: 507, code: 'quota_exceeded', title: 'x' }) });
    });
    await page.locator('input[type=file]').setInputFiles([letter, cut, text, hot, big]);
    await expect(page.locator('li[data-state="failed"]')).toHaveCount(4, { timeout: 60_000 });
    await expect(page.locator('li[data-name="large.gcode"]').getByRole('progressbar')).not.toHaveAttribute('aria-valuenow', '0', { timeout: 60_000 });
    await shot('uploads');
    await set(true);
    await expect(page.locator('li[data-state="lost"]')).toBeVisible({ timeout: 60_000 });
    await shot('upload-lost');
    await set();
    await page.locator('li[data-name="large.gcode"]').getByRole('button').last().click();

    await page.goto(`${factor.url}/files`);
    const row = page.locator('li[data-analysis]', { hasText: 'too-hot.gcode' });
    await row.getByRole('button', { name: say('file_print_named', { name: 'too-hot.gcode' }) }).click();
    const dialog = page.getByRole('dialog');
    await expect(dialog.locator('.note').first()).toBeVisible({ timeout: 60_000 });
    await shot('print', false);
    await dialog.getByText(say('file_print_sd'), { exact: true }).click();
    await shot('print-card', false);
    await page.keyboard.press('Escape');
    await page.goto(`${factor.url}/files/${id('꽃병.gcode')}`);
    await expect(page.locator('[data-layers]')).toHaveAttribute('data-layers', /^[1-9]/, { timeout: 60_000 });
    await shot('file');

    await page.goto(`${factor.url}/printers/${printer.uuid}`);
    const files = page.getByRole('region', { name: say('control_files'), exact: true });
    await files.getByRole('button', { name: say('control_files_bring_named', { file: 'calibration-cube.gcode' }) }).click();
    await expect(files.locator('a[href^="/files/"]')).toBeVisible({ timeout: 120_000 });
    await page.getByRole('button', { name: say('control_terminal_open') }).click();
    const terminal = page.getByRole('region', { name: say('control_terminal'), exact: true });
    await terminal.getByRole('textbox').fill('M115');
    await terminal.getByRole('textbox').press('Enter');
    await expect(terminal.locator('[data-click="done"]')).toBeVisible();
    await terminal.getByRole('textbox').fill('G1 X10 ;\u0007');
    await terminal.getByRole('textbox').fill('M112\u200b\uac00');
    await terminal.getByRole('textbox').press('Enter');
    await expect(terminal.locator('[data-click="refused"], [data-click="failed"]')).toBeVisible();
    await shot('printer');
    // What a device, a clock and a network can make of a click: the ends that nothing here brings about at will.
    const speed = page.getByRole('region', { name: say('control_speed'), exact: true });
    const fan = speed.getByLabel(say('control_percent_of', { name: say('control_speed_fan') }), { exact: true });
    for (const code of ['pending', 'failed', 'expired', 'no_clock', 'outcome_unknown', 'unconfirmed']) {
      await page.route('**/commands', async (route) => {
        if (route.request().method() !== 'POST') return route.fallback();
        if (code === 'pending') return;
        const said = code === 'unconfirmed' ? { state: 'unconfirmed', ok: false } : { state: 'answered', ok: false, code, message: '409: Printer is not operational' };
        await route.fulfill({ json: { id: 'x', type: 'set_fan_speed', at: new Date().toISOString(), ...said } });
      });
      await fan.fill('50');
      await fan.press('Enter');
      await expect(speed.locator('[data-click]:not([data-click=""])')).toBeVisible();
      if (code !== 'pending') await expect(speed.locator('[data-click="pending"]')).toHaveCount(0);
      // What is on the screen: the page itself brings it into sight.
      await page.screenshot({ path: `${folder}/files-click-${code}-${look.device}-${look.theme}-${look.language}.png` });
      await page.unroute('**/commands');
      if (code === 'pending') await page.reload();
    }
    await page.context().close();
  }
});

const unbroken = `${'housing_v12_left_right_0.2mm_PETG_MK4_'.padEnd(58, 'w')}.gcode`;
const stages = ['waiting', 'fetching', 'checking', 'uploading', 'starting', 'done', 'failed'];

/** Names as long as they may be, dialogs, several uploads at once, and files on their way to and from a printer. */
test('files on their way', async ({ browser, factor, owner, api, octoprint, printer }) => {
  const sample = await readFile(inTree('testdata/sample.gcode'));
  const short = await readFile(inTree('testdata/short.gcode'), 'utf8');
  const at = await mkdtemp(join(tmpdir(), 'factor-e2e-looks-'));
  const large: string[] = [];
  for (const [i, name] of ['꽃병 큰 것.gcode', unbroken, 'bracket.gcode', 'spool holder.gcode', '선반 받침.gcode'].entries()) {
    large.push(join(at, name));
    await writeFile(large[i]!, `${short}${'; padding\n'.repeat(1 << 20)}`);
  }
  const id = await send(api, unbroken, sample);
  const deep = Array.from({ length: 8 }, (_, i) => (i % 2 ? `세부 부품 모음 ${i} ` : `Parts of the machine ${i} `).padEnd(25, '_')).join('/');
  await api.call('POST', '/folders', { path: deep });
  const inDeep = await send(api, 'deep.gcode', Buffer.from(`${short}\n; deep`));
  await api.call('PATCH', `/files/${inDeep}`, { folder: deep, tags: ['PETG', '아주 긴 이름의 태그 하나 (선물용 상자 안에 넣을 것)', 'urgent'] });
  await api.call('POST', '/folders', { path: '빈 폴더' });
  for (let i = 1; i < 10; i++) await octoprint.upload(`부품 ${i}.gcode`, short);
  await octoprint.upload(unbroken, short);
  await send(api, 'card.gcode', Buffer.from(`${short}\n; card`));
  const clip = await send(api, 'clip for the card.gcode', Buffer.from(`G28\nM104 S45\n${'G1 X10 Y20 Z0.2 E1 F3000\nG1 X40 Y20 E2\n'.repeat(20)}M104 S0\n`));
  await api.call('POST', `/printers/${printer.uuid}/print`, { file: clip, target: 'sdcard', print: false, anyway: true });
  await until('the card has a file', async () => (await api.call<{ sdcard: unknown[] }>('GET', `/printers/${printer.uuid}/files`)).sdcard.length > 0);

  for (const look of few) {
    const page = await open(browser, look, factor, owner);
    const say = words(look.language);
    const shot = (name: string, whole = true) => take(page, look, `way-${name}`, whole);
    const dialog = page.getByRole('dialog');
    const cancel = () => dialog.getByRole('button', { name: say('common_cancel'), exact: true }).click();
    await page.goto(`${factor.url}/files?folder=${encodeURIComponent(deep)}`);
    await expect(page.locator('li[data-analysis]')).toBeVisible();
    await shot('deep');
    await page.goto(`${factor.url}/files?folder=${encodeURIComponent('빈 폴더')}`);
    await expect(page.getByText(say('files_folder_empty'), { exact: true })).toBeVisible();
    await shot('empty-folder');
    await page.getByRole('button', { name: say('files_delete_folder') }).click();
    await shot('delete-folder', false);
    await cancel();
    await page.getByRole('button', { name: say('files_rename_folder') }).click();
    await shot('rename-folder', false);
    await cancel();
    await page.goto(`${factor.url}/files`);
    await page.getByLabel(say('files_search')).fill('deep');
    await expect(page.locator('li[data-analysis]')).toHaveCount(1);
    await shot('found');
    await page.getByRole('button', { name: say('file_change_named', { name: 'deep.gcode' }) }).click();
    await shot('change', false);
    await cancel();
    await page.getByRole('button', { name: say('file_delete_named', { name: 'deep.gcode' }) }).click();
    await shot('delete', false);
    await cancel();
    await page.goto(`${factor.url}/files/${id}`);
    await expect(page.locator('[data-drawn="all"]')).toBeVisible({ timeout: 120_000 });
    await shot('file-long');

    await page.goto(`${factor.url}/files`);
    const set = await slowly(page, 1 << 20);
    await page.locator('input[type=file]').setInputFiles(large);
    await expect(page.locator('li[data-state="sending"] .says', { hasText: '·' }).first()).toBeVisible({ timeout: 60_000 });
    await shot('uploads');
    await set(false);
    for (const button of await page.locator('li[data-state] .does button:last-child').all()) await button.click({ force: true }).catch(() => undefined);

    await page.goto(`${factor.url}/files`);
    await page.getByRole('button', { name: say('file_print_named', { name: 'card.gcode' }), exact: true }).click();
    await expect(dialog.getByRole('checkbox', { name: printer.name })).toBeChecked({ timeout: 60_000 });
    await dialog.getByText(say('file_print_sd'), { exact: true }).click();
    await dialog.getByLabel(say('file_print_at_once')).uncheck();
    await shot('to-card-ask', false);
    await dialog.locator('footer button').last().click();
    await expect(dialog.locator('[data-stage="uploading"]')).toBeVisible({ timeout: 120_000 });
    await shot('to-card', false);
    await page.goto(`${factor.url}/printers/${printer.uuid}`);
    await expect(page.locator('[data-transfer][data-stage="uploading"] [aria-valuenow]')).toBeVisible();
    await shot('printer-to-card');
    const { items } = await api.call<{ items: { id: string; stage: string }[] }>('GET', `/printers/${printer.uuid}/transfers`);
    const running = items.find((one) => one.stage === 'uploading');
    await page.locator('[data-transfer] .does button').first().click();
    await shot('cancel-ask', false);
    await dialog.getByRole('button', { name: say('transfers_cancel_do') }).click();
    if (running) await until('it is cancelled', async () => {
      const now = await api.call<{ items: { id: string; stage: string }[] }>('GET', `/printers/${printer.uuid}/transfers`);
      return ['failed', 'done'].includes(now.items.find((one) => one.id === running.id)!.stage);
    });
    await shot('cancelled', false);

    // Every stage at once, which no device brings about.
    await page.route('**/transfers', (route) =>
      route.fulfill({
        json: {
          items: stages.map((stage, i) => ({
            ...{ id: `t${i}`, stage, name: i % 3 === 1 ? unbroken : `부품 ${i}.gcode`, path: `x${i}`, target: 'local', print: true, total: 18_200_000 },
            ...{ direction: i % 4 === 3 ? 'to_library' : 'to_printer', bytes: 6_900_000, created_at: new Date(1e12 - i).toISOString() },
            ...(stage === 'failed' ? { code: 'no_space', ended_at: new Date().toISOString() } : {}),
          })),
        },
      }),
    );
    await page.goto(`${factor.url}/printers/${printer.uuid}`);
    const transfers = page.getByRole('region', { name: say('transfers_title'), exact: true });
    await expect(transfers).toBeVisible();
    await takeAt(transfers, look, 'way-stages');
    const files = page.getByRole('region', { name: say('control_files'), exact: true });
    await takeAt(files, look, 'way-device');
    await files.getByLabel(say('control_files_search')).fill('zzz');
    await takeAt(files, look, 'way-device-none');
    await files.getByLabel(say('control_files_search')).fill('');
    await files.getByText(say('control_files_sdcard'), { exact: true }).click();
    await takeAt(files, look, 'way-device-card');
    await page.context().close();
  }
});
