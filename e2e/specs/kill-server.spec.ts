import { at, logIn, mark, expectNotReloaded, shows } from '../harness/pages.ts';
import { expect, test } from '../harness/test.ts';
import { en } from '../harness/words.ts';

test('a server killed in the middle of a print', async ({ page, factor, owner, api, octoprint, printer }) => {
  await logIn(page, factor, owner);
  await mark(page);
  await octoprint.speed(50);
  await octoprint.print('long.gcode');
  await shows(page, printer.uuid, 'printing');
  const known = await api.events(printer.uuid);

  await factor.kill();
  await expect(page.getByRole('button', { name: en('shell_server_retry') })).toBeVisible();
  await octoprint.pause(); // nobody is there to hear of it
  await factor.up();

  // Right again by itself: the same page, the new state.
  await shows(page, printer.uuid, 'paused');
  await expect(page.getByRole('button', { name: en('shell_server_retry') })).toHaveCount(0);
  await expectNotReloaded(page);

  await octoprint.resume();
  await octoprint.speed(500);
  await shows(page, printer.uuid, 'idle');
  const events = await api.eventsUntil(printer.uuid, 'PrintDone');
  // What was known before is still there, once; what happened meanwhile arrived, once and in order.
  const ids = events.map((e) => e.id);
  for (const event of known) expect(ids.filter((id) => id === event.id)).toHaveLength(1);
  expect(events.filter((e) => /^Print(Started|Paused|Resumed|Done)$/.test(e.type)).map((e) => e.type)).toEqual([
    'PrintStarted',
    'PrintPaused',
    'PrintResumed',
    'PrintDone',
  ]);
});

test('a restarted server shows at once what was known, with its age', async ({ page, factor, owner, octoprint, printer }) => {
  await logIn(page, factor, owner);
  await octoprint.speed(20);
  await octoprint.print('known.gcode');
  await shows(page, printer.uuid, 'printing');
  await expect(at(page, printer.uuid).getByText('known.gcode')).toBeVisible();
  await printer.agent.kill();
  await shows(page, printer.uuid, 'offline');
  await factor.stop();
  await factor.up();

  const other = await page.context().newPage();
  await other.goto(`${factor.url}/printers`);
  await shows(other, printer.uuid, 'offline');
  const card = at(other, printer.uuid);
  await expect(card.getByText('known.gcode')).toBeVisible();
  const since = en('printer_line_offline').split('{')[0]!.trim();
  await expect(card.getByText(since).or(card.getByText(en('printer_attention_offline_while_printing_short'))).first()).toBeVisible();
});
