import { defineConfig } from '@playwright/test';
import config from './playwright.config.ts';

/** `make bench` in the browser: figures to read, not tests. */
export default defineConfig(config, { testDir: 'bench', timeout: 600_000, use: { screenshot: 'off', trace: 'off' } });
