import { Factor, somebody } from '../harness/factor.ts';
import { fillSignUp } from '../harness/pages.ts';
import { expect, test } from '../harness/test.ts';
import { en } from '../harness/words.ts';

test.describe('a new server', () => {
  let factor: Factor;
  test.beforeEach(async () => {
    factor = await Factor.start();
  });
  test.afterEach(() => factor.remove());

  test('its first account is made with the set-up code and is the administrator', async ({ page }) => {
    const first = somebody('Operator');
    await page.goto(factor.url);
    await page.getByRole('link', { name: en('landing_start_setup') }).first().click();
    await page.waitForURL('**/welcome');

    const fill = async (code: string) => {
      await page.getByLabel(en('auth_setup_code')).fill(code);
      await fillSignUp(page, first);
    };
    await fill('AAAA-AAAA-AAAA');
    await expect(page.getByText(en('auth_error_setup_code_wrong'))).toBeVisible();

    await fill(await factor.setupCode());
    await page.waitForURL('**/printers');
    await page.getByRole('link', { name: en('shell_admin') }).first().click();
    await page.waitForURL('**/admin**');

    // The code is used up, and nobody is asked for it again.
    await page.context().clearCookies();
    await page.goto(`${factor.url}/welcome`);
    await page.waitForURL('**/login');
  });

  test('without mail, further people join by an invitation link', async ({ page, browser }) => {
    const admin = await factor.addUser(somebody('Operator'), true);
    const api = await factor.as(admin);
    const guest = somebody('Guest');
    const { url } = await api.call<{ url: string }>('POST', '/admin/invitations', { email: guest.email });

    await page.goto(url);
    await expect(page.getByLabel(en('auth_email'))).toHaveValue(guest.email);
    await fillSignUp(page, guest);
    await page.waitForURL('**/printers');
    await expect(page.getByRole('link', { name: en('shell_admin') })).toHaveCount(0);

    // It was good for one person.
    const other = await browser.newPage({ locale: 'en-GB' });
    await other.goto(url);
    await expect(other.getByText(en('auth_error_invitation_invalid'))).toBeVisible();
    await other.close();
  });
});
