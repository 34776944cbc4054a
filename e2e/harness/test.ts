import { test as base, expect } from '@playwright/test';
import { Agent } from './agent.ts';
import type { Api } from './api.ts';
import { Factor, somebody, type Account } from './factor.ts';
import { Mailbox } from './mailbox.ts';
import { OctoPrint } from './octoprint.ts';
import { until } from './program.ts';

interface PerTest {
  /** A new server with an administrator and nobody else; it can send mail. */
  factor: Factor;
  admin: Account;
  /** An ordinary account. */
  owner: Account;
  /** The API in the owner's name. */
  api: Api;
  /** OctoPrint, connected and idle. */
  octoprint: OctoPrint;
  /** The owner's printer: enrolled, its agent running and online. */
  printer: { agent: Agent; uuid: string; name: string };
}

interface PerWorker {
  mailbox: Mailbox;
  sharedOctoPrint: OctoPrint;
}

export const test = base.extend<PerTest, PerWorker>({
  mailbox: [
    async ({}, use) => {
      const mailbox = await Mailbox.start();
      await use(mailbox);
      await mailbox.stop();
    },
    { scope: 'worker' },
  ],
  sharedOctoPrint: [
    async ({}, use) => {
      const octoprint = await OctoPrint.start();
      await use(octoprint);
      await octoprint.stop();
    },
    { scope: 'worker', timeout: 240_000 },
  ],

  factor: async ({ mailbox, admin }, use, info) => {
    const factor = await Factor.start({ smtp: mailbox.smtp });
    await factor.addUser(admin, true);
    await use(factor);
    if (info.status !== info.expectedStatus) await info.attach('factor.log', { body: factor.log });
    await factor.remove();
  },
  admin: async ({}, use) => use(somebody('Admin')),
  owner: async ({ factor }, use) => use(await factor.addUser(somebody('Jimin'))),
  api: async ({ factor, owner }, use) => use(await factor.as(owner)),
  octoprint: async ({ sharedOctoPrint }, use) => {
    await sharedOctoPrint.reset();
    await use(sharedOctoPrint);
  },
  printer: async ({ factor, owner, api, octoprint }, use, info) => {
    const name = 'Prusa MK4';
    const agent = await Agent.enrol(factor, octoprint, owner, name);
    agent.up();
    const { uuid } = await until('the printer is online', async () => (await api.printers()).find((p) => p.online));
    await use({ agent, uuid, name });
    if (info.status !== info.expectedStatus) await info.attach('factor-agent.log', { body: agent.log });
    await agent.remove();
  },
});

export { expect };
