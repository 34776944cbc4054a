import { inBoth, logIn, test } from '../harness/home.ts';
import { plugin } from '../harness/plugin_words.ts';
import { expect } from '../harness/test.ts';
import { keep } from './keep.ts';

/** What a search finds in a workshop; no network of tests has any of it. */
const workshop = [
  { name: 'HD USB Camera', url: 'v4l2:///dev/video0', from: 'v4l2', complete: true },
  { name: 'IPC-C22E', url: 'onvif://192.168.0.21', from: 'onvif', complete: true },
];

/** The pictures of docs/…/cameras.md that are of the plugin's page in OctoPrint. */
test('cameras in the plugin', async ({ home }) => {
  const { factor, theirs } = home;
  const owner = await factor.addUser(home.owner);
  await theirs.open();
  await theirs.install(`${factor.url}/plugin/factor.zip`);
  await theirs.skipWizard();
  await theirs.page.evaluate(() => {
    const { OctoPrint } = window as unknown as { OctoPrint: { settings: { savePluginSettings(name: string, settings: object): Promise<void> } } };
    return OctoPrint.settings.savePluginSettings('classicwebcam', { stream: '/webcam/?action=stream' });
  });
  await logIn(await theirs.openFactor('login'), owner);
  await home.korean.open('ko');
  await inBoth(home, async (at, language) => {
    await at.page.setViewportSize({ width: 1100, height: 1500 });
    await at.page.route('**/camera_find', (route) => route.fulfill({ json: { ticket: 'workshop' } }));
    await at.page.route('**/errand/workshop', (route) => route.fulfill({ json: { done: true, status: 200, body: { items: workshop } } }));
    const pane = await at.openFactor('register');
    const heading = pane.getByRole('heading', { name: plugin('Camera (optional)', language) });
    const webcams = pane.getByLabel(plugin('OctoPrint’s webcams', language));
    await webcams.selectOption({ index: 1 });
    await expect(pane.getByLabel(plugin('Stream URL ', language))).not.toHaveValue('');
    const crop = async (name: string) => {
      await at.page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
      await heading.scrollIntoViewIfNeeded();
      const [from, to] = [await heading.boundingBox(), await pane.getByRole('button', { name: plugin('Test ', language), exact: true }).boundingBox()];
      if (!from || !to) throw new Error('the page has no camera part');
      const clip = { x: from.x - 10, y: from.y - 6, width: 740, height: to.y + to.height - from.y + 16 };
      await keep(`${language}-camera-${name}`, (path) => at.page.screenshot({ path, clip, animations: 'disabled' }));
    };
    await crop('octoprint');
    await pane.getByRole('button', { name: plugin('Look for cameras', language) }).click();
    await pane.getByLabel(plugin('Other cameras', language)).selectOption({ label: `IPC-C22E (${plugin('network, ONVIF', language)})` });
    await crop('search');
  });
});
