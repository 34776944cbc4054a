import type { Locator, Page } from '@playwright/test';
import { expect } from '@playwright/test';
import type { Api } from './api.ts';
import type { Account, Factor } from './factor.ts';
import { en, ko } from './words.ts';

/** Where a printer stands on the open page: its card or row, or the whole of its own page. */
export const at = (page: Page, uuid: string): Locator => page.locator(`[data-uuid="${uuid}"]`);

/** Waits until the page shows the printer in one of these states. */
export async function shows(page: Page, uuid: string, ...statuses: string[]): Promise<void> {
  await expect(at(page, uuid)).toHaveAttribute('data-status', new RegExp(`^(${statuses.join('|')})$`), { timeout: 60_000 });
}

/** The form on /login, as a person fills it in. */
export async function fillLogin(page: Page, account: Account): Promise<void> {
  await page.getByLabel(en('auth_email')).fill(account.email);
  await page.getByLabel(en('auth_password'), { exact: true }).fill(account.password);
  await page.getByRole('button', { name: en('auth_login'), exact: true }).click();
}

export async function logIn(page: Page, factor: Factor, account: Account): Promise<void> {
  await page.goto(`${factor.url}/login`);
  await fillLogin(page, account);
  await page.waitForURL('**/printers');
}

/** The form behind the Sign Up button. */
export async function fillSignUp(page: Page, account: Account): Promise<void> {
  const email = page.getByLabel(en('auth_email'));
  if (await email.isEditable()) await email.fill(account.email);
  await page.getByLabel(en('auth_name')).fill(account.name);
  await page.getByLabel(en('auth_password'), { exact: true }).fill(account.password);
  await page.getByRole('button', { name: 'Sign Up', exact: true }).click();
}

/** A mark in the page's memory: it is gone if the page was loaded anew. */
export async function mark(page: Page): Promise<void> {
  await page.evaluate(() => Object.assign(window, { mark: 'here' }));
}

export async function expectNotReloaded(page: Page): Promise<void> {
  expect(await page.evaluate(() => (window as { mark?: string }).mark)).toBe('here');
}

/** Waits until nothing on the page is still being loaded, its fonts included. */
export async function settled(page: Page): Promise<void> {
  await page.waitForLoadState('load');
  await expect(page.locator('h1').first()).toBeAttached();
  await expect(page.locator('[aria-busy="true"]')).toHaveCount(0);
  await page.evaluate(() => document.fonts.ready.then(() => undefined));
}

/** Chooses cards, table, wall or cameras on the dashboard, in whatever language it is. */
export async function view(page: Page, name: 'cards' | 'table' | 'wall' | 'cameras'): Promise<void> {
  const either = (key: string) => new RegExp(`^(${en(key)}|${ko(key)})$`);
  // By the keyboard: a phone shows the choices as icons only.
  const choice = page.getByRole('radiogroup', { name: either('dash_view') }).getByRole('radio', { name: either(`dash_view_${name}`) });
  await choice.focus();
  await choice.press('Space');
  await expect(choice).toBeChecked();
}

/** Asks somebody into the owner's workspace, who says yes; the workspace's id. */
export async function join(owner: Api, theirs: Api, guest: Account, role: 'operator' | 'viewer'): Promise<string> {
  const [workspace] = (await owner.call<Items>('GET', '/workspaces')).items;
  await owner.call('POST', `/workspaces/${workspace!.id}/members`, { email: guest.email, role });
  const [invitation] = (await theirs.call<Items>('GET', '/me/invitations')).items;
  await theirs.call('POST', `/me/invitations/${invitation!.id}/accept`);
  return workspace!.id;
}

interface Items {
  items: { id: string }[];
}
