import type { Browser, Page } from '@playwright/test';
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

/** A picture of the page, or of what fits on the screen where something lies over it. */
export async function take(page: Page, look: Look, name: string, fullPage = true): Promise<void> {
  await settled(page);
  await page.screenshot({ path: `${folder}/${name}-${look.device}-${look.theme}-${look.language}.png`, fullPage });
}
