import { defineConfig } from '@playwright/test';
import config from './playwright.config.ts';

/** `make bench` in the browser: figures to read, not tests; one at a time, so that none slows another. */
export default defineConfig(config, { testDir: 'bench', workers: 1, timeout: 600_000, use: { screenshot: 'off', trace: 'off' } });
