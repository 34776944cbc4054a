import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { somebody } from '../harness/factor.ts';
import { Fleet } from '../harness/fleet.ts';
import { send } from '../harness/library.ts';
import { join } from '../harness/pages.ts';
import { inTree, until } from '../harness/program.ts';
import { expect, test } from '../harness/test.ts';
import { words } from '../harness/words.ts';
import { few, folder, open, take, takeAt } from './look.ts';

test.beforeAll(() => mkdirSync(folder, { recursive: true }));

/** What opens over a page or follows a click, which no address leads to. */
test('controls', async ({ browser, factor, owner, api }) => {
  const fleet = await Fleet.start(factor, owner, 8, '--speed', '4');
  const [workspace] = (await api.call<{ items: { id: string }[] }>('GET', '/workspaces')).items;
  await api.call('PUT', `/workspaces/${workspace!.id}/presets`, {
    items: [
      { name: 'PLA', tool: 215, bed: 60 },
      { name: 'PETG', tool: 240, bed: 85 },
    ],
  });
  await api.call('PUT', `/workspaces/${workspace!.id}/macros`, {
    items: [
      { name: 'Level the bed', lines: ['G28', 'G29'] },
      { name: '노즐 청소', lines: ['G28', 'G1 X0 Y0 Z20 F3000', 'M104 S200'] },
    ],
  });
  await until('printers print and rest', async () => {
    const statuses = (await api.printers()).map((p) => p.status);
    return statuses.includes('printing') && statuses.includes('idle');
  }, 300_000);
  for (const look of few) {
    const page = await open(browser, look, factor, owner);
    const say = words(look.language);
    const shot = (name: string) => take(page, look, `control-${name}`, false);
    const all = await api.printers();
    const printing = all.filter((p) => p.status === 'printing').sort((a, b) => a.progress.completion! - b.progress.completion!)[0]!;
    const idle = all.find((p) => p.status === 'idle')!;

    await page.goto(`${factor.url}/printers/${printing.uuid}`);
    await page.getByRole('button', { name: say('control_stop'), exact: true }).click();
    await shot('stop');
    await page.getByRole('button', { name: say('control_stop_keep') }).click();
    await page.getByRole('button', { name: say('control_estop'), exact: true }).first().click();
    await page.getByRole('button', { name: say('control_estop_next') }).click();
    await shot('emergency-stop');
    await page.getByRole('button', { name: say('common_cancel') }).click();

    await page.goto(`${factor.url}/printers/${idle.uuid}`);
    await page.getByRole('button', { name: 'PLA', exact: true }).click();
    await shot('heat');
    await page.getByRole('button', { name: say('control_heat_do') }).click();
    await expect(page.locator('[data-click="done"]').first()).toBeVisible();
    await page.getByRole('button', { name: say('control_terminal_open') }).click();
    await take(page, look, 'control-done');
    await page.getByRole('button', { name: say('printer_edit') }).click();
    await shot('edit');
    await api.call('POST', `/printers/${idle.uuid}/commands`, { type: 'set_temperature', tool: 0, temperature: 0 });
    await api.call('POST', `/printers/${idle.uuid}/commands`, { type: 'set_temperature', tool: -1, temperature: 0 });

    await page.goto(`${factor.url}/printers`);
    await page.getByRole('button', { name: say('bulk_select'), exact: true }).click();
    await page.getByRole('button', { name: say('bulk_all') }).click();
    await take(page, look, 'control-select');
    await page.getByRole('button', { name: say('bulk_preheat') }).click();
    await shot('bulk-ask');
    await page.getByRole('button', { name: say('common_cancel') }).click();
    await page.getByRole('button', { name: say('control_pause'), exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: say('bulk_pause_do') }).click();
    await expect(page.locator('[data-result][data-state="pending"]')).toHaveCount(0);
    await shot('bulk-results');
    for (const { uuid, status } of await api.printers())
      if (status === 'paused') await api.call('POST', `/printers/${uuid}/commands`, { type: 'resume' }).catch(() => undefined);

    await page.goto(`${factor.url}/workspace`);
    await take(page, look, 'workspace');
    await page.getByRole('button', { name: say('workspace_edit_named', { name: 'PLA' }) }).click();
    await shot('preset');
    await page.getByRole('button', { name: say('common_cancel') }).click();
    await page.getByRole('button', { name: say('workspace_macro_add') }).click();
    await shot('macro');
    await page.context().close();
  }
  await fleet.stop();
});

/** What a printer's page offers to whom, and when: a real OctoPrint at rest, in a print, and away. */
test('who may control, and when', async ({ browser, factor, owner, api, printer }) => {
  const name = `${'gearbox_housing_left_0.2mm_PETG_MK4_'.padEnd(58, 'x')}.gcode`;
  const [operator, viewer] = [await factor.addUser(somebody('Seoyeon')), await factor.addUser(somebody('Haneul'))];
  const workspace = await join(api, await factor.as(operator), operator, 'operator');
  await join(api, await factor.as(viewer), viewer, 'viewer');
  await api.call('PUT', `/workspaces/${workspace}/presets`, { items: [{ name: 'PLA', tool: 215, bed: 60 }] });
  await api.call('PUT', `/workspaces/${workspace}/macros`, { items: [{ name: '노즐 청소', lines: ['G28'] }] });
  const sample = await readFile(inTree('testdata/sample.gcode'), 'utf8');
  const file = await send(api, name, Buffer.from(sample.replace(/^(M1[0-9]+) S[1-9]\d+/gm, '$1 S40'))); // heats no longer than it has to
  const path = `/printers/${printer.uuid}`;

  for (const look of few) {
    const say = words(look.language);
    const seen = await open(browser, look, factor, viewer);
    await seen.goto(factor.url + path);
    await take(seen, look, 'role-viewer');
    await seen.goto(`${factor.url}/workspace`);
    await take(seen, look, 'role-viewer-workspace');
    await seen.context().close();
    const page = await open(browser, look, factor, operator);
    await page.goto(factor.url + path);
    await page.getByRole('button', { name: say('control_terminal_open') }).click();
    const terminal = page.getByRole('region', { name: say('control_terminal'), exact: true });
    for (const [line, end] of [['M115', 'done'], ['M104 S200', 'refused']] as const) {
      await terminal.getByRole('textbox').fill(line);
      await terminal.getByRole('textbox').press('Enter');
      await expect(terminal.locator(`[data-click="${end}"]`)).toBeVisible();
      await take(page, look, `role-operator-terminal-${end}`, false);
    }
    await take(page, look, 'role-operator');
    await page.context().close();
  }

  await api.call('POST', `${path}/print`, { file, target: 'local', print: true, anyway: true });
  await until('it prints', async () => (await api.printer(printer.uuid)).status === 'printing', 180_000);
  for (const look of few) {
    const say = words(look.language);
    const page = await open(browser, look, factor, owner);
    await page.goto(factor.url + path);
    await expect(page.locator('[data-status="printing"]')).toBeVisible();
    await page.getByRole('button', { name: say('control_move_home_xy') }).click({ force: true }); // off, but a person can touch it
    await take(page, look, 'printing-why-not', false);
    const card = page.getByRole('region', { name: say('toolpath_title'), exact: true });
    await card.getByRole('button', { name: say('toolpath_show') }).click();
    await expect(card.locator('[data-drawn="all"]')).toBeVisible({ timeout: 120_000 });
    await expect(card.locator('.nozzle')).toBeVisible();
    await takeAt(card, look, 'printing-path');
    // The mark goes on as the file is read.
    const place = () => card.locator('.nozzle').evaluate((mark) => mark.getAttribute('style'));
    const before = await place();
    await expect.poll(place, { timeout: 60_000 }).not.toBe(before);
    await take(page, look, 'printing');
    await page.context().close();
    const seen = await open(browser, look, factor, viewer);
    await seen.goto(factor.url + path);
    await expect(seen.locator('[data-status="printing"]')).toBeVisible();
    await take(seen, look, 'printing-viewer');
    await seen.context().close();
  }

  await printer.agent.stop();
  await until('it is away', async () => !(await api.printer(printer.uuid)).online);
  for (const look of few) {
    const say = words(look.language);
    const page = await open(browser, look, factor, owner);
    await page.goto(factor.url + path);
    await take(page, look, 'away');
    await page.getByRole('button', { name: say('control_stop'), exact: true }).or(page.getByRole('button', { name: say('control_pause'), exact: true })).first().click({ force: true });
    await take(page, look, 'away-why-not', false);
    await page.context().close();
  }
});
