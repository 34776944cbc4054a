import { at, logIn, mark, expectNotReloaded, shows } from '../harness/pages.ts';
import { expect, test } from '../harness/test.ts';
import { en } from '../harness/words.ts';

test('an agent killed in the middle of a print', async ({ page, factor, owner, api, octoprint, printer }) => {
  await logIn(page, factor, owner);
  await mark(page);
  await octoprint.speed(50);
  await octoprint.print('long.gcode');
  await shows(page, printer.uuid, 'printing');
  const before = (await api.printer(printer.uuid)).job!.id!;

  await printer.agent.kill();
  await shows(page, printer.uuid, 'offline');
  await expect(at(page, printer.uuid).getByText(en('printer_attention')).first()).toBeVisible();

  // Something happens while nobody listens; the agent then takes up the same print.
  await octoprint.pause();
  printer.agent.up();
  await shows(page, printer.uuid, 'paused');
  expect((await api.printer(printer.uuid)).job!.id).toBe(before);
  await octoprint.resume();
  await shows(page, printer.uuid, 'printing');

  await printer.agent.kill();
  printer.agent.up();
  await shows(page, printer.uuid, 'printing', 'finishing', 'idle');
  await octoprint.speed(500).catch(() => undefined); // over meanwhile
  await shows(page, printer.uuid, 'idle');
  await expectNotReloaded(page);

  const events = await api.eventsUntil(printer.uuid, 'PrintDone');
  for (const once of ['PrintStarted', 'PrintDone']) expect(events.filter((e) => e.type === once)).toHaveLength(1);
  const places = events.filter((e) => e.epoch).map((e) => `${e.epoch} ${e.seq}`);
  expect(new Set(places).size).toBe(places.length);
  const jobs = await api.jobs(printer.uuid);
  expect(jobs.map((j) => [j.id, j.result])).toEqual([[before, 'done']]);
});

test('a killed agent is known as offline within seconds', async ({ page, factor, owner, printer }) => {
  await logIn(page, factor, owner);
  await shows(page, printer.uuid, 'idle');
  const killed = Date.now();
  await printer.agent.kill();
  await shows(page, printer.uuid, 'offline');
  // bench/ shows the five seconds that are promised; five times as long says that it is not the keep-alive.
  expect(Date.now() - killed).toBeLessThan(25_000);
});
