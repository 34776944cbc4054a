import { at, logIn, mark, expectNotReloaded, shows } from '../harness/pages.ts';
import { expect, test } from '../harness/test.ts';
import { en } from '../harness/words.ts';

test('heating, printing, pausing at OctoPrint, resuming, done', async ({ page, factor, owner, api, octoprint, printer }) => {
  await logIn(page, factor, owner);
  await mark(page);
  const card = at(page, printer.uuid);
  await shows(page, printer.uuid, 'idle');

  await octoprint.print('cube.gcode', 150);
  await shows(page, printer.uuid, 'heating');
  await expect(card.getByText(en('printer_line_heating'))).toBeVisible();
  await shows(page, printer.uuid, 'printing');
  await expect(card.getByText('cube.gcode')).toBeVisible();
  const running = (await api.printer(printer.uuid)).job!.id!;

  await octoprint.pause();
  await shows(page, printer.uuid, 'paused');
  await octoprint.resume();
  await shows(page, printer.uuid, 'printing');
  await shows(page, printer.uuid, 'idle');
  await expect(card.getByText(en('printer_last_done').split('·')[1]!.trim())).toBeVisible();
  await expectNotReloaded(page);

  const events = await api.eventsUntil(printer.uuid, 'PrintDone');
  const ofPrint = events.filter((e) => e.type.startsWith('Print'));
  expect(ofPrint.map((e) => e.type)).toEqual(['PrintStarted', 'PrintPaused', 'PrintResumed', 'PrintDone']);
  expect(new Set(ofPrint.map((e) => e.job))).toEqual(new Set([running]));
  const [job] = await api.jobs(printer.uuid);
  expect(job).toMatchObject({ id: running, file_name: 'cube.gcode', result: 'done' });
});

test('a print cancelled at OctoPrint is shown as cancelled, not as failed', async ({ page, factor, owner, api, octoprint, printer }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await logIn(page, factor, owner);
  await octoprint.print();
  await shows(page, printer.uuid, 'printing');
  await octoprint.cancel();
  await shows(page, printer.uuid, 'idle');
  await expect(at(page, printer.uuid).getByText(en('printer_last_cancelled').split('·')[1]!.trim())).toBeVisible();
  expect((await api.printer(printer.uuid)).attention).toEqual([]);
});
