import { at, logIn, shows } from '../harness/pages.ts';
import { expect, test } from '../harness/test.ts';
import { en } from '../harness/words.ts';

test('a heater that fails in the middle of a print', async ({ page, factor, owner, api, octoprint, printer }) => {
  await logIn(page, factor, owner);
  await octoprint.print('doomed.gcode');
  await shows(page, printer.uuid, 'printing');
  await octoprint.gcode('!!DEBUG:trigger_fatal_error_marlin');

  await shows(page, printer.uuid, 'error', 'connecting', 'offline', 'unknown');
  const card = at(page, printer.uuid);
  await expect(card.getByText(en('printer_attention')).first()).toBeVisible();
  await expect.poll(async () => (await api.jobs(printer.uuid))[0]?.result).toBe('failed');
  await expect.poll(async () => (await api.printer(printer.uuid)).attention).toContain('print_failed');

  // Reconnected and idle, it still says that the last print failed, until somebody has seen it.
  await octoprint.reset();
  await shows(page, printer.uuid, 'idle');
  await expect(card.getByText(/doomed\.gcode.* failed/).first()).toBeVisible();
  await api.call('POST', `/printers/${printer.uuid}/attention/ack`);
  await expect(card.getByText(en('printer_attention'))).toHaveCount(0);
});

test('a cable pulled out of an idle printer', async ({ page, factor, owner, octoprint, printer }) => {
  await logIn(page, factor, owner);
  await shows(page, printer.uuid, 'idle');
  await octoprint.disconnect();
  // The device is there, the printer behind it is not: that is not "offline".
  await expect(at(page, printer.uuid).getByText(en('printer_line_disconnected'))).toBeVisible();
  await octoprint.connect();
  await shows(page, printer.uuid, 'idle');
});

// A worker that waits for the last tab to close shows the old pages at every reload until then.
test('the pages of a server that was updated come by reloading', async ({ factor }) => {
  const worker = await (await fetch(`${factor.url}/sw.js`)).text();
  expect(worker).toMatch(/[;,}]self\.skipWaiting\(\)/); // the one in a listener, behind &&, waits to be asked
});
