import type { Locator } from '@playwright/test';
import { randomBytes, X509Certificate } from 'node:crypto';
import { Listener } from '../harness/brokers.ts';
import { certificate, DAY } from '../harness/certificate.ts';
import { somebody, type Account, type Factor } from '../harness/factor.ts';
import { bareZip, expect, inBoth, logIn, test, type Home, type Offer } from '../harness/home.ts';
import { link } from '../harness/mailbox.ts';
import { OctoPrintPage } from '../harness/owners_octoprint.ts';
import { fillSignUp, shows } from '../harness/pages.ts';
import { plugin } from '../harness/plugin_words.ts';
import { freePort, until } from '../harness/program.ts';
import { SubPath } from '../harness/proxy.ts';
import { Site } from '../harness/site.ts';
import { en, type Language } from '../harness/words.ts';

test.describe.configure({ mode: 'serial', timeout: 600_000 });
// A trace takes a picture of all of OctoPrint's page at each step, which costs more than the steps themselves.
test.use({ actionTimeout: 90_000, navigationTimeout: 120_000, trace: 'off' });

test.afterEach(async ({ home }, info) => {
  if (info.status === info.expectedStatus) return;
  await info.attach('octoprint.log', { body: home.octoprint.log });
  await info.attach('factor.log', { body: home.factor.log });
});

test('the five steps, from nothing to a live printer', async ({ home, mailbox, camera }, info) => {
  const { factor, octoprint, owner, context, theirs } = home;
  await theirs.open();
  const page = await context.newPage();
  await page.goto(factor.url);
  const began = Date.now();
  const laps: string[] = [];
  const lap = (name: string) => laps.push(`${((Date.now() - began) / 1000).toFixed(1)} s ${name}`);

  await page.getByRole('link', { name: en('auth_login') }).first().click();
  await page.getByRole('tab', { name: en('auth_tab_signup') }).click();
  await fillSignUp(page, owner);
  await page.goto(link(await mailbox.mail(owner.email), factor.url));
  await page.waitForURL('**/printers');
  home.api = await factor.as(owner);
  lap('signed up');

  await page.getByRole('link', { name: en('add_title') }).first().click();
  const address = await page.getByRole('region', { name: en('plugin_address') }).innerText();
  await theirs.install(address.trim());
  lap('installed, and OctoPrint restarted');

  // The wizard of the new plugin is up; the seed goes by the settings.
  await theirs.skipWizard();
  await logIn(await theirs.openFactor('login'), owner);
  lap('logged in');

  const pane = await theirs.openFactor('register');
  await pane.getByRole('button', { name: plugin('Create '), exact: true }).click();
  const field = pane.getByLabel(plugin('Device UUID'));
  await expect(field).toHaveValue(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  home.uuid = await field.inputValue();
  await pane.getByLabel(plugin('Stream URL ')).fill(camera.url('/stream'));
  await pane.getByRole('button', { name: plugin('Test '), exact: true }).click();
  await expect(pane.getByText(/^MJPEG, 320 × 240, .*pictures\/s$/)).toBeVisible();
  await expect(pane.getByAltText(plugin('First picture of the camera'))).toBeVisible();
  await pane.getByRole('button', { name: plugin('Save '), exact: true }).click();
  await expect(pane.getByText(plugin('Saved.'))).toBeVisible();
  await pane.getByRole('button', { name: plugin('Register'), exact: true }).click();
  await expect(pane.locator('.factor_mqtt_qr canvas, .factor_mqtt_qr img').first()).toBeVisible();
  lap('registered');

  const opened = context.waitForEvent('page');
  await pane.getByRole('link', { name: plugin('Go to FACTOR website') }).click();
  const website = await opened;
  await expect(website).toHaveURL(`${factor.url}/setup/${home.uuid}`);
  await website.getByLabel(en('printer_name')).fill('Workshop');
  await website.getByRole('button', { name: en('setup_finish') }).click();
  await expect(website.getByRole('heading', { name: en('setup_live', { name: 'Workshop' }) })).toBeVisible({ timeout: 120_000 });
  lap('live');

  console.log(`  the five steps: ${laps.join(', ')}`);
  info.annotations.push({ type: 'laps', description: laps.join(', ') });
  // A minute on an idle machine; one that is shared may take five times as long.
  expect(Date.now() - began).toBeLessThan(300_000);
  await expect(pane.getByText(plugin('Registration complete.'))).toBeVisible();
  await website.getByRole('link', { name: en('setup_open') }).click();
  await shows(website, home.uuid, 'idle');
  expect(octoprint.log).toMatch(/octoprint\.plugins\.factor_mqtt - INFO - MQTT/);
});

interface Try {
  what: string;
  settings: { host?: string; port: number; username?: string; password?: string; tls?: boolean; ca?: string };
  /** Where it stops, and what is said there, in the words of the plugin. */
  step: string;
  words: [string, string];
}

test('the connection test says at which step it failed, and what to do', async ({ home }) => {
  const { factor } = home;
  const listeners = await Promise.all([1, 2, 3].map((code) => Listener.refusing(code)));
  const [rc1, rc2, rc3] = listeners as [Listener, Listener, Listener];
  const expired = await Listener.expired();
  const ca = await (await fetch(`${factor.url}/ca.crt`)).text();
  const door = { port: factor.mqtts, tls: true, ca };
  const web = Number(new URL(factor.url).port);
  const tries: Try[] = [
    { what: 'server down', settings: { port: await freePort() }, step: 'Reach the port', words: ["The broker's port is closed.", 'Check the port, and that the broker is running and listens to other machines.'] },
    { what: 'wrong host', settings: { host: 'no-such-host.invalid', port: 1883 }, step: 'Find the host', words: ["The host's name is not known on this network.", "Check the spelling, or use the broker's IP address."] },
    { what: 'wrong port', settings: { port: web }, step: 'Log in ', words: ['What answers on this port does not speak MQTT.', "Check the port; if it is the broker's TLS port, turn Encrypted on."] },
    { what: 'TLS on a port without', settings: { port: web, tls: true }, step: 'Encryption', words: ['The broker does not speak TLS on this port.', 'Turn Encrypted off, or use its TLS port (often 8883).'] },
    { what: 'wrong CA', settings: { ...door, ca: expired.ca }, step: 'Encryption', words: ["The broker's certificate is not trusted.", "Paste the broker's certificate authority, and use the host name that is in its certificate."] },
    { what: 'expired certificate', settings: { port: expired.port, tls: true, ca: expired.ca }, step: 'Encryption', words: ["The broker's certificate has expired.", "Renew it at the broker, and check this computer's clock."] },
    { what: 'rc=1', settings: { port: rc1.port }, step: 'Log in ', words: ['rc=1: the broker does not take this protocol version.', "Check the broker's settings: MQTT 3.1.1 must be allowed."] },
    { what: 'rc=2', settings: { port: rc2.port }, step: 'Log in ', words: ['rc=2: the broker refuses the client id.', 'Create a new Device UUID (instance id) under Register.'] },
    { what: 'rc=3', settings: { port: rc3.port }, step: 'Log in ', words: ['rc=3: the broker is not available.', "Check the broker's state."] },
    { what: 'rc=4', settings: { ...door, username: home.uuid, password: 'not-the-token' }, step: 'Log in ', words: ['rc=4: user name or password is wrong.', 'Check both.'] },
    { what: 'rc=5', settings: door, step: 'Log in ', words: ['rc=5: not allowed.', "Check the account's rights at the broker."] },
  ];
  await home.korean.open('ko');
  await inBoth(home, async (at, language) => {
    const pane = await at.openFactor('mqtt');
    const field = (label: string) => pane.getByLabel(plugin(label, language), { exact: true });
    for (const { what, settings, step, words } of tries) {
      await field('Host').fill(settings.host ?? '127.0.0.1');
      await field('Port ').fill(String(settings.port));
      await field('User name').fill(settings.username ?? '');
      await field('Password ').fill(settings.password ?? '');
      await field('Encrypted (TLS)').setChecked(settings.tls ?? false);
      if (settings.tls) await field('Certificate authority').fill(settings.ca ?? '');
      await pane.getByRole('button', { name: plugin('Connection test', language) }).click();
      const failed = pane.locator('.factor_mqtt_steps tr.error');
      await expect(failed.locator('td').first(), what).toHaveText(plugin(step, language));
      await expect(failed.locator('td').last(), what).toHaveText(words.map((text) => plugin(text, language)).join(' '));
    }
  });
  for (const listener of [...listeners, expired]) await listener.stop();

  // What is saved goes wrong the same way, and the Status tab says so in the language of whoever looks.
  const pane = await home.theirs.openFactor('mqtt');
  const save = async (enabled: boolean) => {
    await pane.getByLabel(plugin('Publish to my own broker')).setChecked(enabled);
    await pane.getByRole('button', { name: plugin('Save '), exact: true }).click();
    await expect(pane.getByText(plugin('Saved.'))).toBeVisible();
  };
  await pane.getByLabel(plugin('Port '), { exact: true }).fill(String(await freePort()));
  await pane.getByLabel(plugin('Encrypted (TLS)'), { exact: true }).setChecked(false);
  await save(true);
  await inBoth(home, async (at, language) => {
    const status = await at.openFactor('status');
    const words = ["The broker's port is closed.", 'Check the port, and that the broker is running and listens to other machines.'];
    const said = status.locator('.factor_mqtt_errors tr').filter({ hasText: plugin(words[0]!, language) }).first();
    await expect(said.locator('td').last()).toHaveText(words.map((text) => plugin(text, language)).join(' '));
  });
  await home.theirs.openFactor('mqtt');
  await save(false);
});

test('the camera test says why there is no picture, and what to do', async ({ home, camera }) => {
  const tries: { what: string; url: string; words: [string, string] }[] = [
    { what: '401', url: camera.url('/locked'), words: ['The camera wants a login (401).', 'Put user name and password into the URL: http://user:password@host/…'] },
    { what: 'not found', url: camera.url('/gone'), words: ['There is no camera at this path.', "Check the part behind the host; the camera's manual or web page has it. One that begins with v4l2:// has to be plugged in."] },
    { what: 'not a stream', url: camera.url('/page'), words: ['There is an answer, but no picture in it.', "This is often the camera's web page: enter the address of the stream itself."] },
    { what: 'ffmpeg missing', url: camera.url('/live.m3u8'), words: ['This stream needs ffmpeg, which is not installed here.', 'Install it: sudo apt install ffmpeg'] },
    { what: 'off', url: `http://127.0.0.1:${await freePort()}/`, words: ['Nothing answers at this address.', 'Check host and port, and that the camera is on and reachable from this computer.'] },
  ];
  await inBoth(home, async (at, language) => {
    const pane = await at.openFactor('register');
    const failed = pane.locator('.factor_mqtt_camera .alert-error');
    for (const { what, url, words } of tries) {
      await pane.getByLabel(plugin('Stream URL ', language)).fill(url);
      await pane.getByRole('button', { name: plugin('Test ', language), exact: true }).click();
      for (const text of words) await expect(failed, what).toContainText(plugin(text, language));
    }
  });
});

test('cameras are looked for at a click', async ({ home }) => {
  await inBoth(home, async (at, language) => {
    const pane = await at.openFactor('register');
    const found = pane.getByLabel(plugin('Other cameras', language));
    const none = pane.getByText(plugin('None was found. Many cameras do not make themselves known: enter the address below.', language));
    await expect(found.or(none).filter({ visible: true })).toHaveCount(0);
    await pane.getByRole('button', { name: plugin('Look for cameras', language) }).click();
    await expect(found.or(none).filter({ visible: true })).toHaveCount(1); // whether this machine's network has one
    if (await none.isVisible()) return;
    await found.selectOption({ index: 1 });
    await expect(pane.getByLabel(plugin('Stream URL ', language))).toHaveValue(/^(v4l2|rtsp|https?):\/\//);
  });
});

/** Tries to log in, and gives where the page says what came of it. */
async function tries(pane: Locator, language: Language, { email, password }: Pick<Account, 'email' | 'password'>): Promise<Locator> {
  await pane.getByLabel(plugin('E-mail', language)).fill(email);
  await pane.getByLabel(plugin('Password ', language)).fill(password);
  await pane.getByRole('button', { name: plugin('Login ', language), exact: true }).click();
  return pane.locator('.alert-error').filter({ visible: true });
}

test('what is wrong with the login is said in its own words', async ({ home }) => {
  const { factor, owner } = home;
  const unverified = somebody('Unverified');
  const signUp = await fetch(`${factor.url}/api/v1/signup`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(unverified),
  });
  expect(signUp.status).toBe(201);
  const hasty = somebody('Hasty');
  /** Somebody else's try at the same account; whether it came too early. */
  const refused = async (): Promise<boolean> => {
    const { email, password } = hasty;
    const answer = await fetch(`${factor.url}/api/v1/session`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ email, password }),
    });
    expect([401, 429]).toContain(answer.status);
    return answer.status === 429;
  };
  await (await home.theirs.openFactor('login')).getByRole('button', { name: plugin('Log out here') }).click();
  await inBoth(home, async (at, language) => {
    const status = await at.openFactor('status');
    await expect(status.getByText(plugin('not installed (some cameras need it)', language))).toBeVisible();
    const pane = await at.openFactor('login');
    let problem = await tries(pane, language, { email: owner.email, password: 'not my password' });
    await expect(problem).toContainText(plugin('E-mail or password is wrong.', language));
    await expect(problem).toContainText(plugin('Check both. A forgotten password is reset on the FACTOR website.', language));
    problem = await tries(pane, language, unverified);
    await expect(problem).toContainText(plugin('This e-mail address is not confirmed yet.', language));
    await expect(problem).toContainText(plugin('Open the link in the mail from FACTOR; look into the spam folder, too.', language));
    // Each try makes the next wait longer, so that one of the page's comes too early, however slow the page is.
    const [before, behind] = plugin('Wait %(seconds)d seconds and try again.', language).split('%(seconds)d') as [string, string];
    await expect(async () => {
      while (!(await refused()));
      await expect(await tries(pane, language, hasty)).toContainText(plugin('Too many attempts.', language), { timeout: 10_000 });
    }).toPass();
    await expect(problem).toContainText(new RegExp(`${before}\\d+${behind}`.replaceAll('.', '\\.')));
  });
});

test('a server that is down is said, and it is found again by itself', async ({ home }) => {
  const { factor } = home;
  const state = (at: OctoPrintPage) => at.page.locator('#settings_plugin_factor_mqtt .factor_mqtt_state .label');
  await inBoth(home, async (at) => void (await at.openFactor('login')));
  await factor.stop();
  await inBoth(home, async (at, language) => {
    await expect(state(at)).toHaveText(plugin('Disconnected ', language), { timeout: 120_000 });
    const problem = await tries(await at.openFactor('login'), language, home.owner);
    await expect(problem).toContainText(plugin('The server does not answer.', language));
    await expect(problem).toContainText(plugin("Check the network of this computer and the server's address.", language));
    const status = await at.openFactor('status');
    await expect(status.locator('.factor_mqtt_facts .text-error').filter({ hasText: plugin('The server does not answer.', language) })).toBeVisible();
  });
  await factor.up();
  await inBoth(home, async (at, language) => {
    await expect(state(at)).toHaveText(plugin('Ready', language), { timeout: 120_000 });
  });
});

test('behind a proxy, below a path of another site, the page works as well', async ({ home }) => {
  const proxy = await SubPath.start(home.octoprint.url, '/octoprint');
  const at = new OctoPrintPage(await home.context.newPage(), home.octoprint);
  await at.open('en', proxy.url);
  const status = await at.openFactor('status');
  await expect(status.locator('.factor_mqtt_facts')).toContainText(home.uuid);
  await status.getByRole('button', { name: plugin('Copy diagnosis') }).click();
  await expect(status.getByLabel(plugin('Diagnosis'))).toHaveValue(new RegExp(home.uuid));
  await at.page.close();
  await proxy.stop();
});

test('OctoPrint restarts, and its printer is back without a login', async ({ home }) => {
  const { octoprint, owner, theirs, api } = home;
  const before = octoprint.agents();
  expect(before).toHaveLength(1);
  await theirs.closeSettings();
  await theirs.restart();
  await until('the printer is online', async () => (await api.printer(home.uuid)).online);
  const after = octoprint.agents();
  expect(after).toHaveLength(1);
  expect(after).not.toEqual(before);
  const pane = await theirs.openFactor('login');
  await expect(pane.getByText(plugin('This printer is registered and needs no login to report. Log in only to register it anew or to use another UUID of your account.'))).toBeVisible();
  await logIn(pane, owner);
  await expect((await theirs.openFactor('register')).getByLabel(plugin('Device UUID'))).toHaveValue(home.uuid);
});

async function offerOf(factor: Factor): Promise<Offer> {
  const fetched = async (path: string) => new Uint8Array(await (await fetch(factor.url + path)).arrayBuffer());
  return { list: await fetched('/plugin/version.json'), zip: await fetched('/plugin/factor.zip') };
}

/** Somebody else at the server's address, while the server is down. */
async function impostor(factor: Factor, act: (show: (offer: Offer) => void) => Promise<void>): Promise<void> {
  const site = await Site.start(Number(new URL(factor.url).port));
  try {
    await act(({ list, zip }) => {
      site.give('/plugin/version.json', list, 'application/json');
      site.give('/plugin/factor.zip', zip, 'application/zip');
    });
  } finally {
    await site.stop();
  }
}

/** Under Updates, in both languages. */
async function saysOfUpdates(home: Home, text: string): Promise<void> {
  await home.theirs.openFactor('status');
  await inBoth(home, async ({ page }, language) => {
    const facts = page.locator('#factor_mqtt_tab_status .factor_mqtt_facts .text-error');
    await expect(facts.filter({ hasText: plugin(text, language) })).toBeVisible();
  });
}

test('an update that is not in order is refused before pip runs', async ({ home, later }) => {
  const { factor, octoprint, theirs, korean } = home;
  home.former = await offerOf(factor);
  const offers: Offer[] = [];
  for (const release of [later.unfit, later.fit]) {
    await factor.stop();
    factor.use(release.server);
    await factor.up();
    offers.push(await offerOf(factor));
  }
  await factor.stop();
  const [unfit, fit] = offers as [Offer, Offer];
  const unsigned = JSON.parse(new TextDecoder().decode(fit.list)) as { signature: string };
  unsigned.signature = randomBytes(64).toString('base64');
  const { version, installations } = octoprint;
  await korean.open('ko');
  await korean.openFactor('status');

  await impostor(factor, async (show) => {
    show({ ...fit, list: new TextEncoder().encode(JSON.stringify(unsigned)) });
    await expect((await theirs.checkForUpdates()).getByText('Update', { exact: true })).toBeHidden();
    await saysOfUpdates(home, 'What the server offers is not signed by its own key, so nothing of it was used.');

    show({ ...fit, zip: fit.zip.slice(0, fit.zip.length / 2) });
    expect(await theirs.update(await theirs.checkForUpdates())).toContain('checksum_wrong');
    await saysOfUpdates(home, 'What was fetched was damaged on the way, so it was not used.');

    show(unfit);
    expect(await theirs.update(await theirs.checkForUpdates())).toContain('not_importable');
    await saysOfUpdates(home, 'The new version does not start on this computer, so it was not installed.');
  });
  expect(octoprint).toMatchObject({ version, installations });
  await factor.up();
});

test('a newer version is installed through Software Update, and an older one is refused from then on', async ({ home }) => {
  const { factor, octoprint, theirs, korean, api } = home;
  const { installations } = octoprint;
  const line = await theirs.checkForUpdates();
  await expect(line).toContainText('9.0.0');
  await line.getByText('Update', { exact: true }).click();
  await theirs.proceed();
  await theirs.comesBack();
  expect(octoprint).toMatchObject({ version: '9.0.0', installations: installations + 1 });
  await until('the printer is online', async () => (await api.printer(home.uuid)).online);
  const status = await theirs.openFactor('status');
  await expect(status.locator('.factor_mqtt_facts')).toContainText('9.0.0', { timeout: 120_000 });
  await expect(status.getByText(plugin('To go back to the version before:'))).toBeVisible();
  expect(octoprint.agents()).toHaveLength(1);

  // The list of the version before, which was signed in its time.
  await factor.stop();
  await korean.open('ko');
  await korean.openFactor('status');
  await impostor(factor, async (show) => {
    show(home.former!);
    await expect((await theirs.checkForUpdates()).getByText('Update', { exact: true })).toBeHidden();
    await saysOfUpdates(home, 'The server offers an older version than is installed here, so it was refused.');
  });
  expect(octoprint).toMatchObject({ version: '9.0.0', installations: installations + 1 });
  await factor.up();
});

/** What the page says to a log-in while somebody else answers at the server's address. */
interface Pretender {
  what: string;
  from: number;
  to: number;
  /** What its clock says; all times are milliseconds from now. */
  clock: number;
  words: [string, string];
}

const pretenders: Pretender[] = [
  { what: 'wrong CA', from: -DAY, to: DAY, clock: 0, words: ["The server's certificate is not the one this plugin trusts.", 'If the server was set up anew, install the plugin again from its address. If not, somebody may be in between.'] },
  { what: 'expired certificate', from: -90 * DAY, to: -30 * DAY, clock: 0, words: ["The server's certificate has expired.", "Check this computer's clock; if it is right, the server's operator has to renew the certificate."] },
  { what: 'wrong clock', from: -90 * DAY, to: -30 * DAY, clock: -60 * DAY, words: ["This computer's clock is wrong, so no certificate is valid.", 'Set the clock (sudo timedatectl set-ntp true) and try again.'] },
];

test('removed, nothing runs on; installed again from elsewhere, it asks for the server, believes nobody else, and is the same printer', async ({ home, camera }) => {
  const { factor, octoprint, owner, theirs, korean, context, api } = home;
  const before = await api.printer(home.uuid);
  await theirs.uninstall('FACTOR MQTT');
  expect(octoprint.installed).toBe('');
  await until('the agent has ended', () => octoprint.programs().length === 0);
  await until('the printer is offline', async () => !(await api.printer(home.uuid)).online);

  camera.give('/factor.zip', await bareZip(), 'application/zip');
  await theirs.install(camera.url('/factor.zip'));
  const wizard = theirs.page.locator('#wizard_plugin_factor_mqtt');
  await expect(wizard.locator('.factor_mqtt_state')).toContainText(plugin('Address needed'));
  await wizard.getByLabel(plugin('FACTOR server')).fill(factor.secure);
  await wizard.getByRole('button', { name: plugin('Connect '), exact: true }).click();
  const authority = new X509Certificate(await (await fetch(`${factor.url}/ca.crt`)).text());
  await expect(wizard.locator('.factor_mqtt_fingerprint')).toHaveText(authority.fingerprint256);
  await wizard.getByRole('button', { name: plugin('Yes, this is my server') }).click();
  await expect(wizard.locator('.factor_mqtt_state')).toContainText(plugin('No instance id'));

  await korean.open('ko');
  await factor.stop();
  for (const { what, from, to, clock, words } of pretenders) {
    const now = Date.now();
    const site = await Site.start(Number(new URL(factor.secure).port), await certificate(new Date(now + from), new Date(now + to)));
    site.answers.set('/healthz', (response) => response.writeHead(200, { Date: new Date(now + clock).toUTCString() }).end());
    await inBoth(home, async ({ page }, language) => {
      const problem = await tries(page.locator('#wizard_plugin_factor_mqtt'), language, owner);
      for (const text of words) await expect(problem, what).toContainText(plugin(text, language));
    });
    await site.stop();
  }
  await factor.up();

  const { code } = await api.call<{ code: string }>('POST', '/setup-codes');
  await wizard.getByRole('link', { name: plugin('Use a code from the web page instead') }).click();
  await wizard.getByLabel(plugin('Set-up code')).fill(code);
  await wizard.getByRole('button', { name: plugin('Use this code') }).click();
  await expect(wizard.getByText(owner.email)).toBeVisible();
  await wizard.getByRole('button', { name: plugin('Take over UUID and camera of the earlier plugin') }).click();
  await expect(wizard.getByLabel(plugin('Device UUID'))).toHaveValue('7d0f9a52-1c3e-4b68-9d27-5e8a4c6b1f03');
  await expect(wizard.getByLabel(plugin('Stream URL '))).toHaveValue('http://127.0.0.1:8080/?action=stream');
  await wizard.getByLabel(plugin('Or one you have')).selectOption({ label: `Workshop · ${home.uuid.slice(0, 8)}` });
  await wizard.getByRole('button', { name: plugin('Use this one') }).click();
  await expect(wizard.getByLabel(plugin('Device UUID'))).toHaveValue(home.uuid);
  await wizard.getByRole('button', { name: plugin('Register'), exact: true }).click();
  await expect(wizard.getByText(plugin('Registration complete.'))).toBeVisible({ timeout: 60_000 });
  const website = await context.newPage();
  await website.goto(`${factor.url}/printers`);
  await shows(website, home.uuid, 'idle');
  const after = await api.printer(home.uuid);
  expect(after).toMatchObject({ uuid: before.uuid, name: 'Workshop', workspace: before.workspace });
  expect(octoprint.agents()).toHaveLength(1);
});
