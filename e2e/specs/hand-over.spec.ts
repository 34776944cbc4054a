import type { Page } from '@playwright/test';
import { Api, type Printer } from '../harness/api.ts';
import { somebody, type Factor } from '../harness/factor.ts';
import { link } from '../harness/mailbox.ts';
import { at, fillSignUp, logIn, shows } from '../harness/pages.ts';
import { expect, test } from '../harness/test.ts';
import { en } from '../harness/words.ts';

const before = '3f2b8c1e-9a4d-4e7b-8c21-5d6f7a8b9c01';
const after = '3f2b8c1e-9a4d-4e7b-8c21-5d6f7a8b9c02';

/** A plugin that somebody signs in by the code on the open page. */
async function pluginByCode(page: Page, factor: Factor): Promise<Api> {
  await page.getByRole('button', { name: en('plugin_code_make') }).click();
  const code = await page.locator('output').innerText();
  expect(code).toMatch(/^[0-9A-Z]{4}-[0-9A-Z]{4}$/);
  const answer = await fetch(`${factor.url}/api/v1/setup-codes/redeem`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ code }),
  });
  expect(answer.status).toBe(200);
  const { access_token } = (await answer.json()) as { access_token: string };
  return new Api(factor.url, access_token);
}

test('the page shows the plugin of this server, a code for it, and the printer that it registers', async ({ page, factor, owner }) => {
  await logIn(page, factor, owner);
  await page.goto(`${factor.url}/printers/add`);
  const address = page.getByRole('region', { name: en('plugin_address') });
  await expect(address).toHaveText(`${factor.url}/plugin/factor.zip`);
  const zip = await fetch(await address.innerText());
  expect(zip.status).toBe(200);
  await page.getByText(en('plugin_check'), { exact: true }).click();
  await expect(page.getByText(zip.headers.get('X-Checksum-Sha256')!)).toBeVisible();

  const plugin = await pluginByCode(page, factor);
  await plugin.call('POST', '/printers', {
    uuid: before,
    name: 'octopi',
    pending: true,
    cameras: [{ name: 'Camera', stream_url: 'http://192.0.2.9/stream' }],
  });
  await page.getByRole('link', { name: en('setup_finish') }).click();
  await expect(page).toHaveURL(`${factor.url}/setup/${before}`);
  await page.getByLabel(en('printer_name')).fill('Workshop');
  await page.getByRole('button', { name: en('setup_finish') }).click();
  await expect(page.getByText(en('setup_waiting'))).toBeVisible();
  const made = await (await factor.as(owner)).call<Printer & { pending: boolean; cameras: { name: string }[] }>('GET', `/printers/${before}`);
  expect(made).toMatchObject({ name: 'Workshop', pending: false, cameras: [{ name: 'Camera' }] });
  await expect(plugin.printers()).rejects.toThrow('401');
});

test('a new computer takes the place of the one before, and the printer keeps what it was', async ({ page, factor, owner, api }) => {
  const { id } = await api.call<{ id: string }>('POST', '/printers', { uuid: before, name: 'Workshop' });
  await api.call('POST', '/printers', { uuid: after, name: 'octopi', pending: true });
  await logIn(page, factor, owner);
  await page.goto(`${factor.url}/printers/${before}`);
  await page.getByRole('button', { name: en('printer_replace'), exact: true }).click();
  await page.getByRole('button', { name: 'octopi', exact: true }).click();
  await page.getByRole('button', { name: en('printer_replace_do') }).click();
  await expect(page).toHaveURL(`${factor.url}/printers/${after}`);
  await shows(page, after, 'offline');
  await expect(page.getByRole('heading', { name: 'Workshop' })).toBeVisible();
  const all = await api.call<{ items: { id: string; uuid: string }[] }>('GET', '/printers');
  expect(all.items).toMatchObject([{ id, uuid: after }]);

  await page.goto(`${factor.url}/setup/${before}`);
  await expect(page.getByRole('heading', { name: en('setup_replaced') })).toBeVisible();
  await api.call('DELETE', `/printers/${after}`);
  await page.goto(`${factor.url}/setup/${after}`);
  await expect(page.getByRole('heading', { name: en('setup_removed') })).toBeVisible();
});

test('a printer changes hands with a code of its owner, and without one it stays', async ({ page, factor, owner, api, browser }) => {
  await api.call('POST', '/printers', { uuid: before, name: 'Workshop' });
  const friend = await factor.addUser(somebody('Friend'));
  const theirs = await (await browser.newContext()).newPage();
  await logIn(theirs, factor, friend);
  await theirs.goto(`${factor.url}/setup/${before}`);
  await theirs.getByLabel(en('printer_name')).fill('Mine');
  await theirs.getByRole('button', { name: en('setup_finish') }).click();
  await expect(theirs.getByRole('heading', { name: en('setup_taken') })).toBeVisible();
  await theirs.getByLabel(en('transfer_code')).fill('0000-0000-0000-0000');
  await theirs.getByRole('button', { name: en('transfer_take_do') }).click();
  await expect(theirs.getByText(en('transfer_invalid'))).toBeVisible();

  await logIn(page, factor, owner);
  await page.goto(`${factor.url}/printers/${before}`);
  await page.getByRole('button', { name: en('transfer_do') }).click();
  await page.getByRole('button', { name: en('plugin_code_make') }).click();
  const code = await page.locator('dialog[open] output').innerText();

  await theirs.getByLabel(en('transfer_code')).fill(code.toLowerCase());
  await theirs.getByRole('button', { name: en('transfer_take_do') }).click();
  await expect(theirs.getByText(en('transfer_taken_text'))).toBeVisible();
  await expect(theirs.getByRole('region', { name: en('printer_token'), exact: true })).toContainText(/^fdt_/);
  await theirs.goto(`${factor.url}/printers/${before}`);
  await expect(theirs.getByRole('heading', { name: 'Workshop' })).toBeVisible();
  await theirs.context().close();

  await expect(page.getByText(en('printer_gone_title'))).toBeVisible();
  await page.goto(`${factor.url}/printers`);
  await expect(at(page, before)).toHaveCount(0);
});

test('the way through a sign-up by mail leads back to the printer', async ({ page, factor, mailbox }) => {
  const newcomer = somebody('Newcomer');
  await page.goto(`${factor.url}/setup/${before}`);
  await page.waitForURL('**/login?next=*');
  await page.getByRole('tab', { name: en('auth_tab_signup') }).click();
  await fillSignUp(page, newcomer);
  await expect(page.getByRole('heading', { name: en('auth_mail_title') })).toBeVisible();
  await page.goto(link(await mailbox.mail(newcomer.email), factor.url));
  await expect(page).toHaveURL(`${factor.url}/setup/${before}`);
  await expect(page.getByLabel(en('printer_name'))).toBeVisible();
});

test('the documentation is served in both languages, under the policy of the pages', async ({ page, factor }) => {
  const complaints: string[] = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  await page.goto(`${factor.url}/docs`);
  await expect(page).toHaveURL(`${factor.url}/docs/en/`);
  await page.getByRole('navigation').getByRole('link', { name: 'Error codes' }).click();
  await expect(page.getByRole('cell', { name: 'rc=5' })).toBeVisible();
  await page.getByRole('link', { name: '한국어' }).click();
  await expect(page).toHaveURL(`${factor.url}/docs/ko/error-codes`);
  await expect(page.locator('html')).toHaveAttribute('lang', 'ko');
  await expect(page.getByRole('heading', { name: '에러 코드' })).toBeVisible();
  expect(complaints).toEqual([]);
});
