import type { Browser, Locator, Page } from '@playwright/test';
import type { Account, Factor } from '../harness/factor.ts';
import { settled } from '../harness/pages.ts';
import { inTree } from '../harness/program.ts';
import type { Language } from '../harness/words.ts';

export const folder = inTree('screenshots');

export interface Look {
  device: 'desktop' | 'phone';
  theme: 'light' | 'dark';
  language: Language;
}

export const looks: Look[] = (['desktop', 'phone'] as const).flatMap((device) =>
  (['light', 'dark'] as const).flatMap((theme) => (['ko', 'en'] as const).map((language) => ({ device, theme, language }))),
);

/** Both widths in each theme and each language: for what takes long to bring about. */
export const few: Look[] = [
  { device: 'phone', theme: 'light', language: 'ko' },
  { device: 'desktop', theme: 'dark', language: 'ko' },
  { device: 'phone', theme: 'dark', language: 'en' },
  { device: 'desktop', theme: 'light', language: 'en' },
];

/** A browser window of that look, logged in if there is somebody. */
export async function open(browser: Browser, look: Look, factor: Factor, account?: Account): Promise<Page> {
  const context = await browser.newContext({
    viewport: look.device === 'desktop' ? { width: 1440, height: 900 } : { width: 390, height: 844 },
    colorScheme: look.theme,
    locale: look.language === 'ko' ? 'ko-KR' : 'en-GB',
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  if (account) {
    await (await factor.as(account)).call('PATCH', '/me', { language: look.language, time_zone: 'Asia/Seoul' });
    const { email, password } = account;
    const answer = await context.request.post(`${factor.url}/api/v1/session`, { data: { email, password } });
    if (!answer.ok()) throw new Error(`log-in: ${answer.status()}`);
  }
  return page;
}

/** A picture of the whole page, what is fixed at its edges, or of what fits on the screen where something lies over it. */
export async function take(page: Page, look: Look, name: string, whole = true): Promise<void> {
  await settled(page);
  const path = `${folder}/${name}-${look.device}-${look.theme}-${look.language}.png`;
  const screen = page.viewportSize()!;
  // A window as high as the page: in a picture of more than the window, bars lie over the middle of it.
  if (whole) await page.setViewportSize({ ...screen, height: await page.evaluate(() => Math.max(innerHeight, document.documentElement.scrollHeight)) });
  if (whole) await page.evaluate(() => scrollTo(0, 0));
  await page.screenshot({ path });
  if (whole) await page.setViewportSize(screen);
}

/** A picture of what is on the screen with this of it in the middle, as far as the page goes. */
export async function takeAt(at: Locator, look: Look, name: string): Promise<void> {
  await at.evaluate((element) => element.scrollIntoView({ block: 'center' }));
  await take(at.page(), look, name, false);
}
