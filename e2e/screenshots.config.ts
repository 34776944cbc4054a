import { defineConfig } from '@playwright/test';
import config from './playwright.config.ts';

/** `make screenshots`: the pages to look at, not tests. */
export default defineConfig(config, { testDir: 'screenshots', timeout: 900_000, use: { screenshot: 'off', trace: 'off' } });
