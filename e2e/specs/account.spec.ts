import { somebody } from '../harness/factor.ts';
import { link } from '../harness/mailbox.ts';
import { fillLogin, logIn } from '../harness/pages.ts';
import { expect, test } from '../harness/test.ts';
import { en } from '../harness/words.ts';

test('a forgotten password is replaced by the link in the mail', async ({ page, factor, owner, mailbox }) => {
  await page.goto(`${factor.url}/login`);
  await page.getByRole('link', { name: en('auth_forgot_link') }).click();
  await page.getByLabel(en('auth_email')).fill(owner.email);
  await page.getByRole('button', { name: en('auth_forgot_send') }).click();
  await expect(page.getByText(en('auth_forgot_sent', { email: owner.email }))).toBeVisible();

  await page.goto(link(await mailbox.mail(owner.email), factor.url));
  await page.getByLabel(en('auth_new_password')).fill('a-new-long-password');
  await page.getByRole('button', { name: en('auth_reset_save') }).click();
  await expect(page.getByText(en('auth_reset_done'))).toBeVisible();

  await logIn(page, factor, { ...owner, password: 'a-new-long-password' });
});

test('nobody learns whether an address has an account', async ({ page, factor, mailbox }) => {
  const stranger = somebody('Stranger');
  await page.goto(`${factor.url}/forgot`);
  await page.getByLabel(en('auth_email')).fill(stranger.email);
  await page.getByRole('button', { name: en('auth_forgot_send') }).click();
  await expect(page.getByText(en('auth_forgot_sent', { email: stranger.email }))).toBeVisible();
  expect(mailbox.to(stranger.email)).toHaveLength(0);

  await page.goto(`${factor.url}/login`);
  await fillLogin(page, stranger);
  await expect(page.getByText(en('auth_error_invalid_credentials'))).toBeVisible();
});

test('a session ended elsewhere ends the open page', async ({ page, factor, owner, browser }) => {
  await logIn(page, factor, owner);
  const elsewhere = await browser.newPage({ locale: 'en-GB' });
  await logIn(elsewhere, factor, owner);
  const status = await elsewhere.evaluate(() => fetch('/api/v1/sessions', { method: 'DELETE' }).then((r) => r.status));
  expect(status).toBe(204);
  await elsewhere.close();
  await page.waitForURL('**/login**');
});

test('a page asked for before the log-in opens after it', async ({ page, factor, owner }) => {
  await page.goto(`${factor.url}/account`);
  await page.waitForURL('**/login**');
  await fillLogin(page, owner);
  await page.waitForURL('**/account');
});
