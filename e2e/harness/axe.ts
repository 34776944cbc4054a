import type { Page } from '@playwright/test';
import { expect } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  id: string;
  impact: string;
  help: string;
  nodes: { target: string[]; failureSummary: string }[];
}

/**
 * No serious or critical finding of axe-core on the page. It looks for a while at what changes meanwhile, such as a job that
 * ends: what is found then is looked for again, and what stays is a finding.
 */
export async function expectAccessible(page: Page, what: string): Promise<void> {
  await expect(async () => expect(await graveFindings(page, what), what).toEqual([])).toPass({ timeout: 15_000 });
}

async function graveFindings(page: Page, what: string): Promise<string[]> {
  await page.evaluate(source); // not a script element: the Content-Security-Policy would refuse it, rightly
  const { violations, passes } = await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run(): Promise<{ violations: Violation[]; passes: unknown[] }> } };
    const found = await axe.run();
    return { violations: found.violations, passes: found.passes.length };
  });
  expect(passes, `${what}: axe has looked at something`).toBeGreaterThan(10);
  return violations
    .filter((v) => v.impact === 'serious' || v.impact === 'critical')
    .map((v) => `${v.id}: ${v.help}\n${v.nodes.map((n) => `  ${n.target.join(' ')}\n    ${n.failureSummary}`).join('\n')}`);
}
