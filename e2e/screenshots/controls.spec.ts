import { mkdirSync } from 'node:fs';
import { Fleet } from '../harness/fleet.ts';
import { until } from '../harness/program.ts';
import { expect, test } from '../harness/test.ts';
import { words } from '../harness/words.ts';
import { folder, looks, open, take } from './look.ts';

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
  for (const look of looks) {
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
