import type { Locator, Page } from '@playwright/test';
import { expect, test } from '../harness/test.ts';
import { logIn } from '../harness/pages.ts';
import { en } from '../harness/words.ts';

const button = (place: Page | Locator, key: string, values?: Record<string, string>) => place.getByRole('button', { name: en(key, values), exact: true });
const card = (page: Page, key: string) => page.getByRole('region', { name: en(key), exact: true });

test('macros and presets are made, refused, used and deleted, and the audit says so', async ({ page, factor, owner, octoprint, printer }) => {
  await logIn(page, factor, owner);
  await page.goto(`${factor.url}/workspace`);
  const dialog = page.getByRole('dialog');
  const nozzle = dialog.getByLabel(en('control_temperature_target', { heater: en('printer_heater_nozzle') }));

  await button(card(page, 'workspace_presets'), 'workspace_preset_add').click();
  await dialog.getByLabel(en('workspace_preset_name')).fill('Warm');
  await nozzle.fill('501');
  await button(dialog, 'common_save').click();
  await expect(dialog.getByText(en('control_wrong_range', { min: '0', max: '500' }))).toBeVisible();
  await nozzle.fill('45');
  await button(dialog, 'common_save').click();
  await expect(card(page, 'workspace_presets').getByText('Warm')).toBeVisible();

  await button(card(page, 'workspace_macros'), 'workspace_macro_add').click();
  await dialog.getByLabel(en('workspace_preset_name')).fill('Centre');
  await button(dialog, 'common_save').click();
  await expect(dialog.getByText(en('workspace_macro_empty'))).toBeVisible();
  await dialog.getByLabel(en('workspace_macro_lines')).fill('G28\nG1 X50 줄'); // OctoPrint sends nothing more after such a line
  await button(dialog, 'common_save').click();
  await expect(dialog.getByText(/^Line 2: .*“G1 X50 줄”$/)).toBeVisible();
  await dialog.getByLabel(en('workspace_macro_lines')).fill('G28\nG90\nG1 X50 Y60 F6000 ; the middle');
  await button(dialog, 'common_save').click();
  await expect(card(page, 'workspace_macros').getByText('Centre')).toBeVisible();

  await page.goto(`${factor.url}/printers/${printer.uuid}`);
  const macros = card(page, 'control_macros');
  await expect(macros.getByRole('button', { name: 'Centre' })).not.toHaveAttribute('aria-disabled', { timeout: 60_000 });
  await macros.getByRole('button', { name: 'Centre' }).click();
  await button(dialog, 'control_macro_do').click();
  await expect(macros.locator('[data-click="done"]')).toBeVisible({ timeout: 60_000 });
  await expect.poll(() => octoprint.position(), { timeout: 60_000 }).toMatchObject({ x: 50, y: 60 });
  await page.getByRole('group', { name: en('control_presets') }).getByRole('button', { name: 'Warm' }).click();
  await button(dialog, 'control_heat_do').click();
  await expect.poll(async () => (await octoprint.temperatures()).tool0!.target).toBe(45);

  await page.goto(`${factor.url}/workspace`);
  await button(card(page, 'workspace_macros'), 'workspace_remove_named', { name: 'Centre' }).click();
  await button(dialog, 'common_delete').click();
  await expect(card(page, 'workspace_macros').getByText(en('workspace_macros_none'))).toBeVisible();

  // Who did what, of this printer alone, and as a file.
  await page.reload();
  const audit = card(page, 'admin_audit');
  await expect(audit.getByText(en('admin_action_macros')).first()).toBeVisible();
  await audit.getByRole('combobox').selectOption({ label: printer.name });
  await expect(audit.getByText(en('admin_action_command', { what: en('control_did_macro', { name: 'Centre' }) }))).toBeVisible();
  await expect(audit.getByText(en('admin_action_macros'))).toHaveCount(0);
  const download = page.waitForEvent('download');
  await audit.getByRole('link', { name: en('control_history_csv') }).click();
  expect((await download).suggestedFilename()).toBe('factor-audit.csv');
});
