import base from './playwright.config.ts';

/** What needs a network with faults: scripts/network.py makes it, and runs this inside. */
export default {
  ...base,
  testDir: 'network',
  timeout: 420_000,
  use: { ...base.use, ignoreHTTPSErrors: true },
};
