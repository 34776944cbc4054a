import type { Locator, Page } from '@playwright/test';
import { expect as quick } from '@playwright/test';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, inTree, Program, until } from './program.ts';

const expect = quick.configure({ timeout: 60_000 });
const program = process.env.FACTOR_TEST_OCTOPRINT ?? inTree('.run/octoprint-venv/bin/octoprint');

/** An OctoPrint as an owner has it: plugins are installed, updated and removed in its pages, which also restart it. */
export class OwnersOctoPrint {
  #starts = 0;

  private constructor(
    private readonly process: Program,
    readonly folder: string,
    readonly url: string,
  ) {}

  static async start(): Promise<OwnersOctoPrint> {
    const folder = await mkdtemp(join(tmpdir(), 'factor-e2e-owner-'));
    const port = await freePort();
    const starter = ['python3', inTree('e2e/harness/owners_octoprint.py'), '--program', program];
    const process = new Program('OctoPrint', [...starter, '--folder', folder, '--port', String(port)]);
    const octoprint = new OwnersOctoPrint(process, folder, `http://127.0.0.1:${port}`);
    await octoprint.isUp();
    return octoprint;
  }

  /** Waits until the page of the start after the last one that isUp waited for can be loaded. */
  async answers(): Promise<void> {
    await this.process.says(new RegExp(`^answers ${this.#starts + 1}$`, 'm'), 300_000);
  }

  /** Waits until it has started once more than at the last call. */
  async isUp(): Promise<void> {
    this.#starts += 1;
    await this.process.says(new RegExp(`^up ${this.#starts}$`, 'm'), 300_000);
  }

  get log(): string {
    return this.#read('logs/octoprint.log');
  }

  /** How often pip was called to install something, by the Plugin Manager and by Software Update. */
  get installations(): number {
    const logs = this.#read('logs/plugin_pluginmanager_console.log') + this.#read('logs/plugin_softwareupdate_console.log');
    return logs.split('\n').filter((line) => / pip .*\binstall .*factor\.zip/.test(line)).length;
  }

  /** Where the plugin keeps what it has. */
  get data(): string {
    return join(this.folder, 'octoprint/data/factor_mqtt');
  }

  /** The plugin as pip has put it, "" while it is not installed. */
  get installed(): string {
    const site = join(this.folder, 'venv/lib');
    const found = readdirSync(site).map((python) => join(site, python, 'site-packages/octoprint_factor_mqtt'));
    return found.find((folder) => existsSync(join(folder, '__init__.py'))) ?? '';
  }

  get version(): string {
    return this.installed ? (readFileSync(join(this.installed, 'version.py'), 'utf8').match(/^VERSION = "(.+)"/m)?.[1] ?? '') : '';
  }

  /** The processes of the agent that this OctoPrint's plugin has started. */
  agents(): number[] {
    return this.#programs((words) => words.includes('run'));
  }

  /** Everything of the agent's that runs, what looks at cameras for it included. */
  programs(): number[] {
    return this.#programs(() => true);
  }

  #programs(wanted: (words: string[]) => boolean): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => {
        try {
          const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
          return words.some((w) => w.endsWith('/factor-agent')) && words.some((w) => w.startsWith(this.data)) && wanted(words);
        } catch {
          return false; // ended meanwhile
        }
      })
      .map(Number);
  }

  async stop(): Promise<void> {
    await this.process.stop(60_000);
    await until('nothing of it runs on', () => this.programs().length === 0);
    await rm(this.folder, { recursive: true, force: true });
  }

  #read(path: string): string {
    const file = join(this.folder, 'octoprint', path);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }
}

/** OctoPrint's page in a person's hands. Its words are OctoPrint's own, English ones. */
export class OctoPrintPage {
  constructor(
    readonly page: Page,
    readonly octoprint: OwnersOctoPrint,
  ) {}

  /** At its own address, or at a proxy's. */
  async open(language: 'en' | 'ko' = 'en', address = this.octoprint.url): Promise<void> {
    await this.inFront();
    await this.page.goto(`${address}/?l10n=${language}`);
    await this.enter();
  }

  /** A person has in front what he clicks at; a page behind another draws once a second, and each click waits for that. */
  private inFront(): Promise<void> {
    return this.page.bringToFront();
  }

  /** Waits until the page has started and is the person's, who logs in where that is asked for. */
  private async enter(): Promise<void> {
    const user = this.page.locator('#login-user');
    const wrench = this.page.locator('#navbar_show_settings');
    await expect(user.or(wrench).filter({ visible: true }).first()).toBeVisible({ timeout: 120_000 });
    if (await user.isVisible()) {
      await user.fill('owner');
      await this.page.locator('#login-password').fill('owner');
      await this.page.locator('#login-remember').check();
      await this.page.locator('#login-button').click();
    }
    await expect(wrench).toBeVisible({ timeout: 120_000 });
    await expect(this.page.locator('#page-container-loading')).toBeHidden({ timeout: 120_000 });
  }

  /** The wrench, then a page of the menu on its left. */
  async openSettings(link: string): Promise<void> {
    await this.inFront();
    const dialog = this.page.locator('#settings_dialog');
    if (!(await dialog.isVisible())) await this.page.locator('#navbar_show_settings').click();
    await expect(dialog).toBeVisible();
    await this.page.locator(`#${link}_link a`).click();
    await expect(this.page.locator(`#${link}`)).toBeVisible();
  }

  /** The wizard that a new plugin brings, put off until later. */
  async skipWizard(): Promise<void> {
    await this.inFront();
    const wizard = this.page.locator('#wizard_dialog');
    await expect(wizard).toBeVisible();
    await wizard.getByRole('button', { name: 'Finish', exact: true }).click();
    await expect(wizard).toBeHidden();
  }

  /** Our page in the settings, at one of its tabs. */
  async openFactor(tab: 'login' | 'register' | 'mqtt' | 'status'): Promise<Locator> {
    await this.openSettings('settings_plugin_factor_mqtt');
    await this.page.locator(`#settings_plugin_factor_mqtt a[href="#factor_mqtt_tab_${tab}"]`).click();
    const pane = this.page.locator(`#factor_mqtt_tab_${tab}`);
    await expect(pane).toBeVisible();
    return pane;
  }

  /** Plugin Manager → Get More → … from URL, and the restart that it asks for. */
  async install(address: string): Promise<void> {
    await this.openSettings('settings_plugin_pluginmanager');
    await this.page.locator('#settings_plugin_pluginmanager').getByText('Get More').click();
    const dialog = this.page.locator('#settings_plugin_pluginmanager_repositorydialog');
    const warning = this.page.locator('#settings_plugin_pluginmanager_restricted');
    await expect(dialog.or(warning).filter({ visible: true }).first()).toBeVisible();
    if (await warning.isVisible()) await warning.getByRole('button', { name: 'Proceed' }).click();
    await expect(dialog).toBeVisible();
    await dialog.getByPlaceholder('Enter URL...').fill(address);
    await dialog.getByRole('button', { name: 'Install', exact: true }).first().click();
    await this.restartNow();
  }

  /** Plugin Manager → the bin → Uninstall & clean up data, and the restart. */
  async uninstall(name: string): Promise<void> {
    await this.openSettings('settings_plugin_pluginmanager');
    const pane = this.page.locator('#settings_plugin_pluginmanager_plugins');
    await pane.getByPlaceholder('Search...').fill(name);
    await pane.locator('tr', { hasText: name }).getByTitle('Uninstall Plugin').click();
    await this.page.locator('.modal-footer').getByText('Uninstall & clean up data').filter({ visible: true }).click();
    await this.restartNow();
  }

  async closeSettings(): Promise<void> {
    const dialog = this.page.locator('#settings_dialog');
    await dialog.locator('[data-test-id=settings-close-button]').click();
    await expect(dialog).toBeHidden();
  }

  /** System → Restart OctoPrint. */
  async restart(): Promise<void> {
    await this.inFront();
    await this.page.locator('#navbar_systemmenu > a').click();
    await this.page.locator('#navbar_systemmenu').getByText('Restart OctoPrint', { exact: true }).click();
    await this.proceed();
    await this.comesBack();
  }

  /** Software Update, looked at anew; the line of our plugin. */
  async checkForUpdates(): Promise<Locator> {
    await this.openSettings('settings_plugin_softwareupdate');
    const pane = this.page.locator('#settings_plugin_softwareupdate');
    await pane.getByRole('button', { name: 'Check for updates' }).locator('xpath=following-sibling::button[1]').click();
    const checked = this.page.waitForResponse((r) => r.url().includes('/plugin/softwareupdate/check') && r.ok());
    await pane.getByText('Force check for updates').click();
    await checked;
    await expect(pane.getByRole('button', { name: 'Check for updates' })).toBeEnabled();
    return pane.locator('tr', { hasText: 'FACTOR MQTT' }).first();
  }

  /** Update, at the line that checkForUpdates gave; what the dialog said until it was over. */
  async update(line: Locator): Promise<string> {
    await line.getByText('Update', { exact: true }).click();
    await this.proceed();
    const dialog = this.page.locator('#settings_plugin_softwareupdate_workingdialog');
    const close = dialog.locator('.modal-footer button');
    await expect(dialog).toBeVisible();
    await expect(close).toBeEnabled({ timeout: 240_000 });
    const said = await dialog.locator('pre').innerText();
    await close.click();
    await expect(dialog).toBeHidden();
    return said;
  }

  /** Yes, whatever OctoPrint asks. */
  async proceed(): Promise<void> {
    await this.page.locator('.modal-footer').getByText(/^\s*Proceed\s*$/).filter({ visible: true }).click();
  }

  /** After a restart a person loads the page anew. */
  async comesBack(): Promise<void> {
    await this.inFront();
    await this.octoprint.answers(); // who sits in front of it does not wait for the printer
    await this.page.reload();
    await this.enter();
    await this.octoprint.isUp();
  }

  private async restartNow(): Promise<void> {
    await this.page.getByRole('button', { name: 'Restart now' }).click({ timeout: 120_000 });
    await this.proceed();
    await this.comesBack();
  }
}
