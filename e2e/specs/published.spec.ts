import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Factor, somebody } from '../harness/factor.ts';
import { OctoPrint, published } from '../harness/octoprint.ts';
import { at, logIn, shows } from '../harness/pages.ts';
import { freePort, inTree, until } from '../harness/program.ts';
import { expect, test } from '../harness/test.ts';
import { en } from '../harness/words.ts';

// The plugin that owners run today, by its UUID alone as it comes out of the box. It never says what became of a command:
// the page tells what was seen, and what was not.
test('a printer with the published plugin: a file sent to it, and what became of each command', async ({ page }) => {
  const uuid = randomUUID();
  const port = await freePort();
  const factor = await Factor.start({ more: ['--mqtt', `127.0.0.1:${port}`, '--uuid-login', 'on'] });
  const broker = { broker_host: '127.0.0.1', broker_port: port, broker_use_tls: false };
  const octoprint = await OctoPrint.start(published, { plugins: { octoprint_factor: { ...broker, instance_id: uuid, registered: true } } });
  const folder = await mkdtemp(join(tmpdir(), 'factor-e2e-published-'));
  try {
    const sliced = await readFile(inTree('testdata/short.gcode'), 'utf8');
    await octoprint.upload('earlier.gcode', sliced); // before its first snapshot: the list in those is looked at once a minute
    const owner = await factor.addUser(somebody('Sora'));
    const api = await factor.as(owner);
    await api.call('POST', '/printers', { uuid, name: 'Ender', uuid_login: true });
    await logIn(page, factor, owner);
    await expect(at(page, uuid).getByText(en('printer_unauthenticated'))).toBeVisible({ timeout: 60_000 });

    // In several pieces, into a queue that takes no more than the plugin does.
    const path = join(folder, '상자.gcode');
    await writeFile(path, `${sliced}${'; padding\n'.repeat(20_000)}`);
    await page.goto(`${factor.url}/files`);
    await page.locator('input[type=file]').setInputFiles(path);
    const row = page.locator('li[data-analysis]', { hasText: '상자.gcode' });
    await expect(row).toHaveAttribute('data-analysis', 'done', { timeout: 60_000 });
    await octoprint.speed(20);
    await row.getByRole('button', { name: en('file_print_named', { name: '상자.gcode' }) }).click();
    const dialog = page.getByRole('dialog');
    await expect(dialog.getByRole('checkbox', { name: 'Ender' })).toBeChecked({ timeout: 60_000 });
    await dialog.getByRole('button', { name: new RegExp(`^(${en('file_print_on', { count: '1' })}|${en('file_print_anyway')})$`) }).click();
    await expect(dialog.locator('[data-stage="done"]')).toBeVisible({ timeout: 120_000 });
    expect((await octoprint.job()).job.file.name).toBe('상자.gcode');

    await page.goto(`${factor.url}/printers/${uuid}`);
    await shows(page, uuid, 'printing');
    await expect(page.getByText(en('printer_unauthenticated_text'))).toBeVisible();
    const actions = page.getByRole('group', { name: en('control_actions') });
    const history = page.getByRole('region', { name: en('control_history'), exact: true });
    const press = (key: string) => actions.getByRole('button', { name: en(key), exact: true }).click();
    const seen = (type: string) => expect(history.locator(`[data-command="${type}"][data-state="seen"]`).first()).toBeVisible({ timeout: 60_000 });
    // OctoPrint drops a pause without a word while a print starts.
    await until('it is past its first lines', async () => (await octoprint.job()).progress.completion! > 1);
    await press('control_pause');
    await seen('pause');
    expect((await octoprint.job()).state).toMatch(/^Paus/);
    await shows(page, uuid, 'paused');
    await press('control_resume');
    await seen('resume');
    await press('control_stop');
    await page.getByRole('dialog').getByRole('button', { name: en('control_stop_do') }).click();
    await seen('cancel');
    await shows(page, uuid, 'idle');

    // What no snapshot shows: sent, and after a while not confirmed.
    const speeds = page.getByRole('region', { name: en('control_speed'), exact: true });
    const fan = speeds.getByLabel(en('control_percent_of', { name: en('control_speed_fan') }), { exact: true });
    await fan.fill('50');
    await fan.press('Enter');
    const click = speeds.getByRole('status');
    await expect(click).toHaveAttribute('data-click', 'sent');
    await expect(click).toContainText(en('control_state_sent_wait'));
    await expect(click).toHaveAttribute('data-click', 'unconfirmed', { timeout: 60_000 });
    await expect(click).toContainText(en('control_state_unconfirmed_text'));

    // What it does not know is off, with the reason.
    await expect(actions.getByRole('button', { name: en('control_estop'), exact: true })).toHaveAccessibleDescription(en('control_why_plugin_cannot'));
    const bring = page.getByRole('button', { name: en('control_files_bring_named', { file: 'earlier.gcode' }) });
    await expect(bring).toHaveAccessibleDescription(en('control_files_bring_plugin'));
  } finally {
    await octoprint.stop();
    await factor.remove();
    await rm(folder, { recursive: true });
  }
});
