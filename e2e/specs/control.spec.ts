import type { Locator, Page } from '@playwright/test';
import { somebody } from '../harness/factor.ts';
import { Fleet } from '../harness/fleet.ts';
import { join, logIn, shows } from '../harness/pages.ts';
import { until } from '../harness/program.ts';
import { expect, test } from '../harness/test.ts';
import { en } from '../harness/words.ts';

const button = (place: Page | Locator, key: string, values?: Record<string, string>) =>
  place.getByRole('button', { name: en(key, values), exact: true });
const target = (page: Page, heater: string) => page.getByLabel(en('control_temperature_target', { heater: en(heater) }), { exact: true });
const card = (page: Page, key: string) => page.getByRole('region', { name: en(key), exact: true });

test('pausing, resuming and stopping a print from a phone', async ({ page, factor, owner, api, octoprint, printer }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await logIn(page, factor, owner);
  await page.goto(`${factor.url}/printers/${printer.uuid}`);
  const actions = page.getByRole('group', { name: en('control_actions') });
  await octoprint.speed(20);
  await octoprint.print('phone.gcode');
  await shows(page, printer.uuid, 'printing');

  await button(actions, 'control_pause').click();
  await expect(actions.getByText(en('control_state_done'))).toBeVisible();
  await expect.poll(async () => (await octoprint.job()).state).toBe('Paused');
  await shows(page, printer.uuid, 'paused');
  await button(actions, 'control_resume').click();
  await expect.poll(async () => (await octoprint.job()).state).toBe('Printing');
  await shows(page, printer.uuid, 'printing');

  // Asked with the printer's and the print's name; a change of mind changes nothing.
  await button(actions, 'control_stop').click();
  const question = page.getByRole('dialog', { name: en('control_stop_title', { name: printer.name }) });
  await expect(question.getByText(/phone\.gcode.* \d+%/)).toBeVisible();
  await button(question, 'control_stop_keep').click();
  await expect(question).toBeHidden();
  await button(actions, 'control_stop').click();
  await button(question, 'control_stop_do').click();
  await expect.poll(async () => (await octoprint.job()).state).toBe('Operational');
  await shows(page, printer.uuid, 'idle');
  await expect.poll(async () => (await api.jobs(printer.uuid))[0]?.result).toBe('cancelled');

  // A click just above the bar at the bottom: what became of it comes into sight above that.
  const speed = card(page, 'control_speed');
  const fan = speed.getByRole('button').last();
  await expect(fan).toBeEnabled();
  const bar = () => actions.evaluate((element) => element.getBoundingClientRect().top);
  await fan.evaluate((element, top) => scrollBy(0, element.getBoundingClientRect().bottom - top), await bar());
  await speed.getByLabel(en('control_percent_of', { name: en('control_speed_fan') }), { exact: true }).fill('40');
  await fan.click();
  const said = speed.locator('[data-click="done"]');
  await expect(said).toBeVisible();
  expect(await said.evaluate((element) => element.getBoundingClientRect().bottom)).toBeLessThanOrEqual(await bar());
});

test('moving the head by the keyboard', async ({ page, factor, owner, octoprint, printer }) => {
  await logIn(page, factor, owner);
  await page.goto(`${factor.url}/printers/${printer.uuid}`);
  await shows(page, printer.uuid, 'idle');
  const pad = page.getByRole('group', { name: en('control_move_pad') });
  await expect(button(pad, 'control_move_home_xy')).not.toHaveAttribute('aria-disabled');

  await pad.focus();
  await pad.press('Home');
  await expect(card(page, 'control_move').locator('[data-click="done"]')).toBeVisible();
  await expect.poll(() => octoprint.position()).toEqual({ x: 0, y: 0, z: 0 });
  const before = (await octoprint.moves()).length;
  // Each press shows what becomes of it; those that come meanwhile wait for their turn.
  await pad.press('ArrowRight');
  await pad.press('ArrowRight');
  await pad.press('ArrowUp');
  await expect(card(page, 'control_move').getByText(en('control_axis_way', { axis: 'Y', distance: '+10' }))).toBeVisible();
  await expect(card(page, 'control_move').locator('[data-click="done"]')).toBeVisible();
  await pad.press('2'); // steps of 1 mm
  await pad.press('ArrowLeft');
  await pad.press('PageUp');
  // Where the virtual printer's head is afterwards tells nothing: it may make a move only after the G90 behind it.
  await expect.poll(async () => (await octoprint.moves()).slice(before)).toEqual(['X10 F3000', 'X10 F3000', 'Y10 F3000', 'X-1 F3000', 'Z1 F300']);
});

test('a temperature reaches OctoPrint, and one that nobody may ask for changes nothing', async ({ page, factor, owner, api, octoprint, printer }) => {
  await logIn(page, factor, owner);
  await page.goto(`${factor.url}/printers/${printer.uuid}`);
  const field = target(page, 'printer_heater_nozzle');
  const heats = async () => (await octoprint.temperatures()).tool0!.target;
  await expect(field).toBeEnabled();

  await field.fill('200');
  await field.press('Enter');
  await button(page.getByRole('dialog'), 'control_heat_do').click();
  await expect.poll(heats).toBe(200);
  await expect(card(page, 'control_temperature').getByText(en('control_state_done'))).toBeVisible();

  // The page knows the limit…
  await field.fill('301');
  await field.press('Enter');
  await expect(page.getByText(en('control_wrong_range', { min: '0', max: '300' }))).toBeVisible();
  // …and the server's is the one that counts, here a newer one.
  await api.call('PUT', `/printers/${printer.uuid}/limits`, { max_temperatures: { tool: 205 } });
  await field.fill('210');
  await field.press('Enter');
  // Whether it asks once more depends on whether the page has heard of the first target yet.
  const refused = card(page, 'control_temperature').getByText(en('common_error_out_of_range'));
  const ask = button(page.getByRole('dialog'), 'control_heat_do');
  await expect(ask.or(refused).first()).toBeVisible();
  if (await ask.isVisible()) await ask.click();
  await expect(refused).toBeVisible();
  expect(await heats()).toBe(200);

  await button(card(page, 'control_temperature'), 'control_off').click();
  await expect.poll(heats).toBe(0);
});

test('what cannot be done now is off and says why', async ({ page, factor, owner, octoprint, printer }) => {
  await logIn(page, factor, owner);
  await page.goto(`${factor.url}/printers/${printer.uuid}`);
  await octoprint.speed(20);
  await octoprint.print('busy.gcode');
  await shows(page, printer.uuid, 'printing');
  await expect(card(page, 'control_move').getByText(en('control_why_printing_move')).last()).toBeVisible();
  await octoprint.cancel();
  await shows(page, printer.uuid, 'idle');
  await expect(card(page, 'control_move').getByText(en('control_why_printing_move'))).toHaveCount(0);

  await printer.agent.stop();
  await shows(page, printer.uuid, 'offline');
  const reason = en('control_why_device_offline');
  await expect(card(page, 'control_move').getByText(reason).last()).toBeVisible();
  const pause = button(page.getByRole('group', { name: en('control_actions') }), 'control_pause');
  await expect(pause).toHaveAccessibleDescription(reason);
  await pause.click({ force: true }); // it is off, but a person can touch it
  await expect(page.locator('.toasts').getByText(reason)).toBeVisible(); // no silent click
});

test('two people at one printer see what the other does', async ({ page, browser, factor, owner, api, octoprint, printer }) => {
  const guest = await factor.addUser(somebody('Guest'));
  await join(api, await factor.as(guest), guest, 'operator');
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const theirs = await context.newPage();
  await logIn(page, factor, owner);
  await logIn(theirs, factor, guest);
  for (const one of [page, theirs]) await one.goto(`${factor.url}/printers/${printer.uuid}`);
  await octoprint.speed(20);
  await octoprint.print('shared.gcode');
  for (const one of [page, theirs]) await shows(one, printer.uuid, 'printing');

  await button(theirs, 'control_pause').click();
  for (const one of [page, theirs]) await shows(one, printer.uuid, 'paused');
  await expect(card(page, 'control_history').locator('[data-command="pause"][data-state="done"]').getByText(guest.name)).toBeVisible();

  // Both at once: it is resumed, and whoever was second is told so or has the same. The buttons are found before, for the
  // second one may be gone by the time that Playwright has looked whether it can be clicked.
  const both = await Promise.all([page, theirs].map((one) => button(one, 'control_resume').elementHandle()));
  await Promise.all(both.map((one) => one!.evaluate((element: HTMLElement) => element.click())));
  for (const one of [page, theirs]) {
    await shows(one, printer.uuid, 'printing');
    await expect(one.getByRole('group', { name: en('control_actions') }).locator('[data-click="pending"]')).toHaveCount(0);
  }
  expect((await octoprint.job()).state).toBe('Printing');
  await context.close();
});

test('several printers are paused at once, each with its result', async ({ page, factor, owner, api }) => {
  const fleet = await Fleet.start(factor, owner, 6);
  try {
    await until('some print', async () => (await api.printers()).filter((p) => p.status === 'printing').length >= 2);
    const [workspace] = (await api.call<{ items: { id: string }[] }>('GET', '/workspaces')).items;
    await api.call('PUT', `/workspaces/${workspace!.id}/presets`, { items: [{ name: 'PLA', tool: 205, bed: 60 }] });
    await logIn(page, factor, owner);
    await button(page, 'bulk_select').click();
    const bar = page.getByRole('region', { name: en('bulk_actions') });
    await button(bar, 'bulk_all').click();
    await button(bar, 'control_pause').click();
    await button(page.getByRole('dialog'), 'bulk_pause_do').click();
    await expect(page.locator('[data-result]')).toHaveCount(6);
    await expect(page.locator('[data-result][data-state="pending"]')).toHaveCount(0);
    const results = await page.locator('[data-result]').evaluateAll((rows) => rows.map((row) => ({ ...(row as HTMLElement).dataset })));
    const paused = results.filter((row) => row.state === 'done').map((row) => row.result);
    expect(paused.length).toBeGreaterThanOrEqual(2);
    for (const uuid of paused) await expect.poll(async () => (await api.printer(uuid!)).status).toBe('paused');
    // The others say why not.
    for (const row of results.filter((one) => one.state !== 'done')) {
      expect(row.state).toBe('refused');
      await expect(page.locator(`[data-result="${row.result}"] small`)).not.toBeEmpty();
    }

    // What is paused keeps the temperatures that its print wants.
    await button(page.getByRole('dialog'), 'common_close').last().click(); // its head has one, too
    await button(bar, 'bulk_preheat').click();
    await button(page.getByRole('dialog'), 'control_heat_do').click();
    await expect(page.locator('[data-result]')).toHaveCount(6);
    await expect(page.locator('[data-result][data-state="pending"]')).toHaveCount(0);
    for (const uuid of paused) {
      await expect(page.locator(`[data-result="${uuid}"][data-state="refused"] small`)).toHaveText(en('bulk_preheat_active'));
    }
  } finally {
    await fleet.stop();
  }
});
