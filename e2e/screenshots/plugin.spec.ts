import { mkdirSync, rmSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { Listener } from '../harness/brokers.ts';
import { somebody } from '../harness/factor.ts';
import { inBoth, logIn, test } from '../harness/home.ts';
import type { OctoPrintPage } from '../harness/owners_octoprint.ts';
import { plugin } from '../harness/plugin_words.ts';
import { freePort, inTree, until } from '../harness/program.ts';
import { expect } from '../harness/test.ts';
import type { Language } from '../harness/words.ts';

const folder = inTree('screenshots/plugin');

/** What is in OctoPrint's dialog, all of it, on a large screen and on a phone. */
async function take(page: Page, name: string, language: Language): Promise<void> {
  for (const [device, width, height] of [
    ['desktop', 1280, 1500],
    ['phone', 390, 1700],
  ] as const) {
    await page.setViewportSize({ width, height });
    await page.screenshot({ path: `${folder}/${name}-${device}-${language}.png` });
  }
  await page.setViewportSize({ width: 1440, height: 900 });
}

test('the pages of the plugin, in OctoPrint', async ({ home, camera }) => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const { factor, octoprint, theirs } = home;
  const owner = await factor.addUser(home.owner);
  const shoot = (name: string, act: (at: OctoPrintPage, language: Language) => Promise<unknown>) =>
    inBoth(home, async (at, language) => {
      await act(at, language);
      await take(at.page, name, language);
    });
  await theirs.open();
  await theirs.install(`${factor.url}/plugin/factor.zip`);
  await home.korean.open('ko');
  await shoot('wizard', (at) => expect(at.page.locator('#wizard_plugin_factor_mqtt .label').first()).toBeVisible());
  await theirs.skipWizard();
  await home.korean.open('ko');

  await shoot('login', (at) => at.openFactor('login'));
  await shoot('login-code', async (at, language) => {
    const pane = await at.openFactor('login');
    await pane.getByText(plugin('Use a code from the web page instead', language)).click();
    await pane.getByLabel(plugin('Set-up code', language)).fill('AAAA-AAAA');
    await pane.getByRole('button', { name: plugin('Use this code', language) }).click();
    await expect(pane.locator('.alert-error').filter({ visible: true })).toBeVisible();
  });
  await shoot('login-wrong', async (at, language) => {
    const pane = await at.openFactor('login');
    await pane.getByText(plugin('Use e-mail and password instead', language)).click();
    await pane.getByLabel(plugin('E-mail', language)).fill(owner.email);
    await pane.getByLabel(plugin('Password ', language)).fill('wrong');
    await pane.getByRole('button', { name: plugin('Login ', language), exact: true }).click();
    await expect(pane.locator('.alert-error').filter({ visible: true })).toBeVisible();
  });
  const unverified = somebody('Unverified');
  await fetch(`${factor.url}/api/v1/signup`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(unverified),
  });
  await shoot('login-unverified', async (at, language) => {
    const pane = await at.openFactor('login');
    await pane.getByLabel(plugin('E-mail', language)).fill(unverified.email);
    await pane.getByLabel(plugin('Password ', language)).fill(unverified.password);
    await pane.getByRole('button', { name: plugin('Login ', language), exact: true }).click();
    await expect(pane.locator('.alert-error').filter({ hasText: plugin('This e-mail address is not confirmed yet.', language) })).toBeVisible();
  });
  await shoot('register-before', (at) => at.openFactor('register'));
  const login = await theirs.openFactor('login');
  await logIn(login, owner);
  await shoot('login-done', async (at) => expect((await at.openFactor('login')).getByText(owner.email)).toBeVisible());
  const pane = await theirs.openFactor('register');
  await pane.getByRole('button', { name: plugin('Create '), exact: true }).click();
  await expect(pane.getByLabel(plugin('Device UUID'))).toHaveValue(/-/);
  await shoot('camera', async (at, language) => {
    const register = await at.openFactor('register');
    await register.getByLabel(plugin('Stream URL ', language)).fill(camera.url('/stream'));
    await register.getByRole('button', { name: plugin('Test ', language), exact: true }).click();
    await expect(register.locator('.factor_mqtt_camera img')).toBeVisible();
  });
  await shoot('camera-find', async (at, language) => {
    const register = await at.openFactor('register');
    await register.getByRole('button', { name: plugin('Look for cameras', language) }).click();
    const none = plugin('None was found. Many cameras do not make themselves known: enter the address below.', language);
    await expect(register.getByLabel(plugin('Other cameras', language)).or(register.getByText(none)).filter({ visible: true })).toHaveCount(1);
  });
  for (const [name, path] of [['locked', '/locked'], ['gone', '/gone'], ['page', '/page'], ['ffmpeg', '/live.m3u8']] as const) {
    await shoot(`camera-${name}`, async (at, language) => {
      const register = await at.openFactor('register');
      await register.getByLabel(plugin('Stream URL ', language)).fill(camera.url(path));
      await register.getByRole('button', { name: plugin('Test ', language), exact: true }).click();
      await expect(register.locator('.factor_mqtt_camera .alert-error')).toBeVisible();
    });
  }
  await pane.getByRole('button', { name: plugin('Register'), exact: true }).click();
  await shoot('registered', async (at) => expect((await at.openFactor('register')).locator('.factor_mqtt_qr')).toBeVisible());

  const rc4 = await Listener.refusing(4);
  const closed = await freePort();
  for (const [name, port] of [['rc4', rc4.port], ['closed', closed]] as const) {
    await shoot(`mqtt-${name}`, async (at, language) => {
      const mqtt = await at.openFactor('mqtt');
      await mqtt.getByLabel(plugin('Host', language), { exact: true }).fill('127.0.0.1');
      await mqtt.getByLabel(plugin('Port ', language), { exact: true }).fill(String(port));
      await mqtt.getByRole('button', { name: plugin('Connection test', language) }).click();
      await expect(mqtt.locator('.factor_mqtt_steps tr.error')).toBeVisible();
    });
  }
  await shoot('mqtt-tls', async (at, language) => {
    const mqtt = await at.openFactor('mqtt');
    await mqtt.getByLabel(plugin('Encrypted (TLS)', language), { exact: true }).check();
  });
  await shoot('status-own-broker', async (at, language) => {
    const mqtt = await at.openFactor('mqtt');
    await mqtt.getByLabel(plugin('Publish to my own broker', language)).check();
    await mqtt.getByLabel(plugin('Encrypted (TLS)', language), { exact: true }).uncheck();
    await mqtt.getByRole('button', { name: plugin('Save ', language), exact: true }).click();
    await expect(mqtt.getByText(plugin('Saved.', language))).toBeVisible();
    const status = await at.openFactor('status');
    const said = status.locator('.factor_mqtt_errors').getByText(plugin("The broker's port is closed.", language));
    await expect(said.first()).toBeVisible({ timeout: 60_000 });
  });
  await rc4.stop();
  await shoot('status-pending', async (at, language) =>
    expect((await at.openFactor('status')).getByText(plugin('Pending registration', language)).first()).toBeVisible(),
  );
  const api = await factor.as(owner);
  const { uuid } = await until('it is registered', async () => (await api.printers())[0]);
  await api.call('POST', '/printers', { uuid, name: 'Prusa MK4' });
  const label = (at: OctoPrintPage) => at.page.locator('#settings_plugin_factor_mqtt .factor_mqtt_state .label');
  await shoot('status', async (at, language) => {
    await expect(label(at)).toHaveText(plugin('Ready', language), { timeout: 60_000 });
    await (await at.openFactor('status')).getByRole('button', { name: plugin('Copy diagnosis', language) }).click();
    await expect(at.page.locator('#factor_mqtt_tab_status textarea')).toBeVisible();
  });
  await shoot('register-done', (at) => at.openFactor('register'));
  await factor.stop();
  await shoot('status-disconnected', async (at, language) => {
    await expect(label(at)).toHaveText(plugin('Disconnected ', language), { timeout: 120_000 });
    await at.openFactor('status');
  });
  expect(octoprint.agents()).toHaveLength(1);
});
