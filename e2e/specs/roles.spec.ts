import type { Page } from '@playwright/test';
import { readFile } from 'node:fs/promises';
import { somebody, type Account, type Factor } from '../harness/factor.ts';
import { send } from '../harness/library.ts';
import { at, join, logIn, shows } from '../harness/pages.ts';
import { inTree } from '../harness/program.ts';
import { expect, test } from '../harness/test.ts';
import { en } from '../harness/words.ts';

const uuid = '3f2b8c1e-9a4d-4e7b-8c21-5d6f7a8b9c0d';

test.describe('who may see and change a printer', () => {
  test.beforeEach(async ({ api }) => {
    await api.call('POST', '/printers', { uuid, name: 'Ender 3 S1' });
  });

  for (const role of ['operator', 'viewer'] as const) {
    test(`a member who is ${role} sees it and is offered nothing that only the owner may do`, async ({ page, factor, owner, api }) => {
      const guest = await factor.addUser(somebody('Guest'));
      await join(api, await factor.as(guest), guest, role);

      await logIn(page, factor, guest);
      await expect(at(page, uuid)).toBeVisible();
      await page.goto(`${factor.url}/printers/${uuid}`);
      await shows(page, uuid, 'offline');
      await expect(page.getByRole('button', { name: en('printer_edit') })).toHaveCount(0);

      await logInAs(page, factor, owner);
      await page.goto(`${factor.url}/printers/${uuid}`);
      await expect(page.getByRole('button', { name: en('printer_edit') })).toBeVisible();
    });
  }

  test('members see the library of the workspace, and add to it when they may', async ({ page, factor, owner, api }) => {
    await send(api, 'ours.gcode', await readFile(inTree('testdata/short.gcode')));
    const guest = await factor.addUser(somebody('Guest'));
    const theirs = await factor.as(guest);
    const workspace = await join(api, theirs, guest, 'viewer');
    const { id } = await theirs.call<{ id: string }>('GET', '/me');
    const file = (name: string) => page.getByRole('link', { name, exact: true });
    const upload = page.getByRole('button', { name: en('files_upload'), exact: true });

    await logIn(page, factor, guest);
    await page.goto(`${factor.url}/files`);
    await expect(page.getByText(en('files_empty_title'))).toBeVisible(); // their own
    await page.getByRole('combobox', { name: en('workspace_which') }).selectOption(workspace);
    await expect(file('ours.gcode')).toBeVisible();
    await expect(page.getByText(en('files_viewer'))).toBeVisible();
    await expect(upload).toHaveCount(0);
    await expect(page.getByRole('button', { name: en('file_print_named', { name: 'ours.gcode' }) })).toHaveCount(0);
    await file('ours.gcode').click();
    await expect(page.getByRole('heading', { name: 'ours.gcode' })).toBeVisible();
    await expect(page.getByRole('button', { name: en('file_print'), exact: true })).toHaveCount(0);

    await api.call('PATCH', `/workspaces/${workspace}/members/${id}`, { role: 'operator' });
    await page.goto(`${factor.url}/files?workspace=${workspace}`);
    await expect(upload.first()).toBeVisible();
    await page.locator('input[type=file]').setInputFiles(inTree('testdata/short.gcode'));
    await expect(file('short.gcode').last()).toBeVisible({ timeout: 60_000 });

    await logInAs(page, factor, owner);
    await page.goto(`${factor.url}/files`);
    await expect(file('short.gcode')).toBeVisible();
    await expect(page.getByRole('combobox', { name: en('workspace_which') })).toHaveCount(0); // there is theirs only
  });

  test('somebody else is told that there is no such printer', async ({ page, factor }) => {
    const stranger = await factor.addUser(somebody('Stranger'));
    await logIn(page, factor, stranger);
    await expect(page.getByRole('heading', { name: en('dash_empty_title') })).toBeVisible();
    await page.goto(`${factor.url}/printers/${uuid}`);
    await expect(page.getByText(en('common_error_not_found'))).toBeVisible();
    await expect(page.getByText('Ender 3 S1')).toHaveCount(0);
  });

  test('an administrator of the server does not see it, either', async ({ page, factor, admin }) => {
    await logIn(page, factor, admin);
    await expect(page.getByRole('heading', { name: en('dash_empty_title') })).toBeVisible();
    await page.goto(`${factor.url}/printers/${uuid}`);
    await expect(page.getByText(en('common_error_not_found'))).toBeVisible();
  });

  test('a role taken away ends the open page', async ({ page, factor, api }) => {
    const guest = await factor.addUser(somebody('Guest'));
    const theirs = await factor.as(guest);
    const workspace = await join(api, theirs, guest, 'viewer');
    const { id } = await theirs.call<{ id: string }>('GET', '/me');
    await logIn(page, factor, guest);
    await expect(at(page, uuid)).toBeVisible();

    await api.call('DELETE', `/workspaces/${workspace}/members/${id}`);
    await expect(at(page, uuid)).toHaveCount(0);
  });
});

test('nobody gets past the log-in', async ({ page, factor }) => {
  for (const path of ['/printers', `/printers/${uuid}`, '/printers/add', `/setup/${uuid}`, '/account', '/admin']) {
    await page.goto(factor.url + path);
    await page.waitForURL('**/login?next=**');
  }
});

test('server settings are for administrators', async ({ page, factor, owner, admin }) => {
  await logIn(page, factor, owner);
  await page.goto(`${factor.url}/admin`);
  await expect(page.getByText(en('common_refused_title'))).toBeVisible();
  await logInAs(page, factor, admin);
  await page.goto(`${factor.url}/admin?section=users`);
  await expect(page.getByText(owner.email).first()).toBeVisible();
});

async function logInAs(page: Page, factor: Factor, account: Account): Promise<void> {
  await page.context().clearCookies();
  await page.evaluate(() => localStorage.clear());
  await logIn(page, factor, account);
}
