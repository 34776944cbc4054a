import { defineConfig } from '@playwright/test';

/** Two workers for the two cores that are promised. Each has an OctoPrint of its own, which the tests of a file share. */
export default defineConfig({
  testDir: 'specs',
  outputDir: 'results',
  workers: 2,
  timeout: 180_000,
  expect: { timeout: 20_000 },
  reporter: 'list',
  forbidOnly: !!process.env.CI,
  // The plugin's tests follow on each other and take longest by far: begun last, one core would wait for them.
  projects: [
    { name: 'plugin', testMatch: 'plugin.spec.ts' },
    { name: 'all', testIgnore: 'plugin.spec.ts' },
  ],
  use: {
    browserName: 'chromium',
    actionTimeout: 30_000,
    navigationTimeout: 60_000,
    viewport: { width: 1440, height: 900 },
    locale: 'en-GB',
    timezoneId: 'Asia/Seoul',
    screenshot: 'only-on-failure',
    // A trace costs as much as the steps that it shows: TRACE=1 keeps those of what failed.
    trace: process.env.TRACE ? 'retain-on-failure' : 'off',
    // Debian's Chromium; its sandbox does not start for root, and it is to talk to nobody but the server under test.
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update'],
    },
  },
});
