import { Agent } from '../harness/agent.ts';
import { somebody } from '../harness/factor.ts';
import { link } from '../harness/mailbox.ts';
import { fillSignUp, shows } from '../harness/pages.ts';
import { expect, test } from '../harness/test.ts';
import { en } from '../harness/words.ts';

test('from sign-up by mail to a live dashboard', async ({ page, factor, mailbox, octoprint }) => {
  const newcomer = somebody('Haneul');
  await page.goto(factor.url);
  await page.getByRole('banner').getByRole('link', { name: en('auth_login') }).click();
  await page.getByRole('tab', { name: en('auth_tab_signup') }).click();
  await fillSignUp(page, newcomer);
  await expect(page.getByText(en('auth_mail_sent', { email: newcomer.email }))).toBeVisible();
  await expect(page.getByText(en('auth_mail_spam'))).toBeVisible();

  await page.goto(link(await mailbox.mail(newcomer.email), factor.url));
  await page.waitForURL('**/printers');
  await expect(page.getByRole('heading', { name: en('dash_empty_title') })).toBeVisible();

  // The dashboard is open all the while: the printer appears on it by itself.
  const agent = await Agent.enrol(factor, octoprint, newcomer, 'Voron 2.4');
  try {
    agent.up();
    const card = page.getByRole('article').filter({ hasText: 'Voron 2.4' });
    await expect(card).toHaveAttribute('data-status', 'idle', { timeout: 60_000 });

    await octoprint.print('benchy.gcode');
    await expect(card).toHaveAttribute('data-status', 'printing', { timeout: 60_000 });
    await expect(card.getByText('benchy.gcode')).toBeVisible();

    await card.getByRole('link', { name: 'Voron 2.4' }).click();
    await page.waitForURL('**/printers/*-*-*-*-*');
    const uuid = page.url().split('/').at(-1)!;
    await expect(page.getByRole('heading', { name: 'Voron 2.4', level: 1 })).toBeVisible();
    await shows(page, uuid, 'printing');
  } finally {
    await agent.remove();
  }
});

test('the link in the mail is good once', async ({ page, factor, mailbox }) => {
  const newcomer = somebody('Sora');
  await page.goto(`${factor.url}/login`);
  await page.getByRole('tab', { name: en('auth_tab_signup') }).click();
  await fillSignUp(page, newcomer);
  const verify = link(await mailbox.mail(newcomer.email), factor.url);
  await page.goto(verify);
  await page.waitForURL('**/printers');

  // Somebody is signed in here by now: no link makes him somebody else unasked.
  await page.goto(verify);
  await expect(page.getByText(en('auth_verify_other_lead', { name: newcomer.name, email: newcomer.email }))).toBeVisible();
  await page.getByRole('button', { name: en('auth_verify_other_do') }).click();
  await expect(page.getByText(en('auth_error_token_invalid'))).toBeVisible();
});

test('signing up with a taken address tells its owner, not the stranger', async ({ page, factor, owner, mailbox }) => {
  await page.goto(`${factor.url}/login`);
  await page.getByRole('tab', { name: en('auth_tab_signup') }).click();
  await fillSignUp(page, { ...owner, name: 'Stranger' });
  await expect(page.getByText(en('auth_mail_sent', { email: owner.email }))).toBeVisible();
  const mail = await mailbox.mail(owner.email);
  expect(mail.text).not.toContain('/verify');
});
