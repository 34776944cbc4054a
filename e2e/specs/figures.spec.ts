import type { Page } from '@playwright/test';
import { at, logIn, shows } from '../harness/pages.ts';
import type { OctoPrint } from '../harness/octoprint.ts';
import { expect, test } from '../harness/test.ts';
import { en } from '../harness/words.ts';

/** OctoPrint's own figures, as the page writes them; it is paused, so that they stand still. */
async function figures(octoprint: OctoPrint): Promise<{ percent: string; nozzle: string; bed: string; file: string }> {
  const [job, temperatures] = [await octoprint.job(), await octoprint.temperatures()];
  const degrees = (heater: string) => temperatures[heater]!.actual.toFixed(1);
  return {
    percent: `${Math.floor(job.progress.completion!)}%`,
    nozzle: degrees('tool0'),
    bed: degrees('bed'),
    file: job.job.file.name!,
  };
}

async function expectFigures(page: Page, uuid: string, octoprint: OctoPrint): Promise<void> {
  const place = at(page, uuid);
  await expect(async () => {
    const own = await figures(octoprint);
    const text = (await place.innerText()).replace(/\s+/g, ' ');
    expect(text).toContain(own.file);
    expect(text).toContain(own.percent);
    expect(text).toContain(own.nozzle);
    expect(text).toContain(own.bed);
  }).toPass({ timeout: 30_000 });
}

test("the pages' figures are OctoPrint's own", async ({ page, factor, owner, api, octoprint, printer }) => {
  await logIn(page, factor, owner);
  await octoprint.print('figures.gcode', 120);
  await shows(page, printer.uuid, 'printing');
  await expect(at(page, printer.uuid).getByRole('progressbar')).toBeVisible();
  await octoprint.pause();
  await shows(page, printer.uuid, 'paused');
  await expectFigures(page, printer.uuid, octoprint);

  await page.getByRole('link', { name: printer.name }).click();
  await shows(page, printer.uuid, 'paused');
  await expectFigures(page, printer.uuid, octoprint);
  await expect(at(page, printer.uuid).getByText(en('printer_status_paused')).first()).toBeVisible();

  // The same through the API, to the last digit.
  await expect(async () => {
    const [ours, job, temperatures] = [await api.printer(printer.uuid), await octoprint.job(), await octoprint.temperatures()];
    expect(ours.state.text).toBe(job.state);
    expect(ours.progress.completion).toBeCloseTo(job.progress.completion!, 6);
    expect(ours.job?.file?.name).toBe(job.job.file.name);
    for (const heater of ['tool0', 'bed']) {
      expect(ours.temperatures[heater]).toMatchObject({
        actual: temperatures[heater]!.actual,
        target: temperatures[heater]!.target,
      });
    }
  }).toPass({ timeout: 30_000 });
});
