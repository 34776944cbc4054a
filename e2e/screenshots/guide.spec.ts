import type { Page } from '@playwright/test';
import type { Account } from '../harness/factor.ts';
import { expect, logIn, test } from '../harness/home.ts';
import { settled } from '../harness/pages.ts';
import { plugin } from '../harness/plugin_words.ts';
import { until } from '../harness/program.ts';
import { words, type Language } from '../harness/words.ts';
import { keep } from './keep.ts';

const viewport = { width: 1100, height: 720 };
const shown = 'https://factor.example.com';
const names: Record<Language, { person: string; printer: string }> = {
  en: { person: 'Mina', printer: 'Living room' },
  ko: { person: '미나', printer: '거실 프린터' },
};

/** docs/images/guide/{language}-{step}.webp, with the server at an address as owners have it, in few colours. */
async function picture(page: Page, language: Language, step: number, server: string): Promise<void> {
  await page.evaluate(
    ([from, to]) => {
      (document.activeElement as HTMLElement | null)?.blur();
      const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      while (texts.nextNode()) texts.currentNode.nodeValue = texts.currentNode.nodeValue!.replaceAll(from!, to!);
    },
    [server, shown],
  );
  const few = 'split[a][b];[a]palettegen=max_colors=96[p];[b][p]paletteuse=dither=none';
  await keep(`${language}-${step}`, (path) => page.screenshot({ path, animations: 'disabled' }), few);
}

test('the pictures of the five steps in the documentation', async ({ home, browser }) => {
  const { factor, theirs, korean } = home;
  const owner: Account = { email: 'mina@example.com', name: 'Mina', password: 'pw-Mina-orange' };
  await factor.addUser(owner);
  const api = await factor.as(owner);
  const site = async (language: Language) => {
    const context = await browser.newContext({ viewport, locale: language === 'ko' ? 'ko-KR' : 'en-GB', reducedMotion: 'reduce' });
    await context.route('**/api/v1/plugin', async (route) => {
      const install = (await (await route.fetch()).json()) as Record<string, unknown>;
      await route.fulfill({ json: { ...install, zip_url: `${shown}/plugin/factor.zip`, security: 'public' } });
    });
    return context.newPage();
  };
  const pages: Record<Language, Page> = { en: await site('en'), ko: await site('ko') };
  const signIn = async (language: Language) => {
    await api.call('PATCH', '/me', { language, name: names[language].person });
    const { email, password } = owner;
    await pages[language].context().request.post(`${factor.url}/api/v1/session`, { data: { email, password } });
  };
  for (const language of ['en', 'ko'] as const) {
    const page = pages[language];
    await page.goto(`${factor.url}/login`);
    await page.getByRole('tab', { name: words(language)('auth_tab_signup') }).click();
    await settled(page);
    await picture(page, language, 1, factor.url);
    await signIn(language);
    await page.goto(`${factor.url}/printers/add`);
    await expect(page.getByText(`${shown}/plugin/factor.zip`)).toBeVisible();
    await settled(page);
    await picture(page, language, 2, factor.url);
  }

  const octoprints = { en: theirs, ko: korean };
  for (const { page } of [theirs, korean]) await page.setViewportSize(viewport);
  await theirs.open();
  await theirs.install(`${factor.url}/plugin/factor.zip`);
  await korean.open('ko');
  for (const language of ['en', 'ko'] as const) {
    const { page } = octoprints[language];
    const wizard = page.locator('#wizard_plugin_factor_mqtt');
    await expect(wizard.locator('.factor_mqtt_state')).toContainText(plugin('No instance id', language));
    await wizard.getByLabel(plugin('E-mail', language)).fill(owner.email);
    await wizard.getByLabel(plugin('Password ', language)).fill(owner.password);
    await picture(page, language, 3, factor.url);
  }
  const wizard = theirs.page.locator('#wizard_plugin_factor_mqtt');
  await logIn(wizard, owner);
  await wizard.getByRole('button', { name: plugin('Create '), exact: true }).click();
  await expect(wizard.getByLabel(plugin('Device UUID'))).toHaveValue(/-/);
  await wizard.getByRole('button', { name: plugin('Register'), exact: true }).click();
  for (const language of ['en', 'ko'] as const) {
    const { page } = octoprints[language];
    const next = page.locator('#wizard_plugin_factor_mqtt').getByRole('link', { name: plugin('Go to FACTOR website', language) });
    await expect(page.locator('#wizard_plugin_factor_mqtt .factor_mqtt_qr')).toBeVisible();
    await next.scrollIntoViewIfNeeded();
    await picture(page, language, 4, factor.url);
  }
  const { uuid } = await until('it is registered', async () => (await api.printers())[0]);
  for (const language of ['en', 'ko'] as const) {
    const page = pages[language];
    await signIn(language);
    await page.goto(`${factor.url}/setup/${uuid}`);
    await page.getByLabel(words(language)('printer_name')).fill(names[language].printer);
    await settled(page);
    await picture(page, language, 5, factor.url);
  }
});
