import { fillLogin } from '../harness/pages.ts';
import { expect, test } from '../harness/test.ts';
import { en, ko } from '../harness/words.ts';

test.describe('with a Korean browser', () => {
  test.use({ locale: 'ko-KR' });

  test('everything is Korean before anybody has logged in, and English at a choice', async ({ page, factor }) => {
    await page.goto(factor.url);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(ko('landing_headline'));
    await expect(page.locator('html')).toHaveAttribute('lang', 'ko');

    await page.goto(`${factor.url}/login`);
    await expect(page.getByRole('tab', { name: ko('auth_tab_signup') })).toBeVisible();
    await page.getByLabel(ko('common_language')).selectOption('en');
    await expect(page.getByRole('tab', { name: en('auth_tab_signup') })).toBeVisible();
    await expect(page.locator('html')).toHaveAttribute('lang', 'en');

    await page.reload();
    await expect(page.getByRole('tab', { name: en('auth_tab_signup') })).toBeVisible();
  });
});

test("the account's language counts more than the browser's", async ({ page, factor, owner, api }) => {
  await api.call('PATCH', '/me', { language: 'ko' });
  await page.goto(`${factor.url}/login`);
  await fillLogin(page, owner);
  await expect(page.getByRole('heading', { name: ko('dash_title'), level: 1 })).toBeVisible();
  await expect(page.locator('html')).toHaveAttribute('lang', 'ko');

  await api.call('PATCH', '/me', { language: 'en' });
  await page.reload();
  await expect(page.getByRole('heading', { name: en('dash_title'), level: 1 })).toBeVisible();
});

test('both languages have the same messages, with the same values in them', () => {
  expect(Object.keys(ko.messages).sort()).toEqual(Object.keys(en.messages).sort());
  const values = (message: unknown) => [...new Set(JSON.stringify(message).match(/\{\w+\}/g) ?? [])].sort();
  for (const [key, message] of Object.entries(en.messages)) {
    expect(values(ko.messages[key]), key).toEqual(values(message));
  }
});
