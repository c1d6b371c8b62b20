import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { frameMd5, makeClip } from '../../helpers/clips.ts';
import { openBrowser, whyNoBrowser } from '../../helpers/browser.ts';
import { DaemonWithPage } from '../../helpers/daemon-with-page.ts';
import { checkAppearance } from '../../helpers/screenshots.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const suffix = whyNoBrowser === null ? '' : ` (${whyNoBrowser})`;
const browserTest = it.skipIf(whyNoBrowser !== null);
const WAIT = { timeout: 60_000 };
const PANELS = ['now', 'queue', 'ended', 'job/1', 'add', 'try', 'log', 'machine', 'settings', 'doctor'];

browserTest(`a file dropped on the page becomes a finished video${suffix}`, async () => {
  const daemon = await DaemonWithPage.start();
  const clip = makeClip(join(temporaryFolder(), 'clip.mp4'), { frames: 30 });
  const page = await openBrowser(`${daemon.address}#/add`);
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  await page.getByRole('radio', { name: /lanczos-2x/ }).check();
  await page.setViewportSize({ width: 390, height: 844 });
  await page.locator('input[type=file]').setInputFiles(clip);
  const saved = page.getByText('Saved as input/lanczos-2x/clip.mp4');
  await saved.waitFor(WAIT);
  // A phone shows it without scrolling.
  expect((await saved.boundingBox())?.y).toBeLessThan(844);
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.goto(`${daemon.address}#/ended`);
  await page.getByRole('link', { name: /clip\.mp4/ }).click(WAIT);
  // The comparison shows the source and the result.
  await page.getByAltText('After: clip.mp4').waitFor(WAIT);
  await page.getByAltText('Before: clip.mp4').waitFor(WAIT);
  const output = join(daemon.home, 'output/lanczos-2x/clip.mp4');
  expect(frameMd5(output)).toHaveLength(30);
  // The result is saved by the browser, and made again at another size; the former one stays.
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download' }).click();
  expect((await download).suggestedFilename()).toBe('clip.mp4');
  expect(readFileSync(await (await download).path()).equals(readFileSync(output))).toBe(true);
  await page.getByRole('button', { name: 'Again with …' }).click();
  await page.getByLabel('Scale').selectOption('3');
  await page.getByRole('button', { name: 'Queue' }).click();
  await page.getByText(/clip\.mp4 queued as job 2/).waitFor(WAIT);
  const second = async () =>
    JSON.parse((await daemon.ask('GET', '/api/jobs/2')).text) as { state: string; output: string };
  await expect.poll(async () => (await second()).state, WAIT).toBe('done');
  const { output: again } = await second();
  expect(again).toBe(join(daemon.home, 'output/lanczos-2x/clip (2).mp4'));
  expect(frameMd5(again)).toHaveLength(30);
  // A daemon that does not answer yet: the status is a round dot and a word, not a bar of the list below it.
  await page.route('**/api/**', () => undefined);
  await page.goto('about:blank');
  await page.goto(`${daemon.address}#/queue`);
  await page.getByText('Connecting').waitFor(WAIT);
  const dot = await page.locator('.status span').boundingBox();
  expect(dot?.height).toBe(dot?.width);
  expect(faults).toEqual([]);
});

browserTest(
  `jobs are paused, resumed, cancelled and retried by click, and the page survives a restart${suffix}`,
  { tags: ['slow'] },
  async () => {
    const daemon = await DaemonWithPage.start();
    const page = await openBrowser(`${daemon.address}#/queue`);
    await page.getByRole('button', { name: 'Pause the queue' }).click();
    await page.getByRole('button', { name: 'Resume the queue' }).first().waitFor(WAIT);
    makeClip(join(daemon.home, 'input/lanczos-2x/clip.mp4'), { frames: 30 });
    await page.getByRole('button', { name: 'Pause clip.mp4' }).click(WAIT);
    // The job is resumed elsewhere in the middle of a press: it stays a press on the same button.
    await page.getByRole('button', { name: 'Resume clip.mp4' }).waitFor(WAIT);
    await page.getByRole('button', { name: 'Cancel clip.mp4' }).hover();
    await page.mouse.down();
    await daemon.ask('POST', '/api/jobs/1/resume', { authorization: `Bearer ${daemon.token}` });
    await page.getByRole('button', { name: 'Pause clip.mp4' }).waitFor(WAIT);
    await page.mouse.up();
    await page.getByRole('button', { name: 'Undo' }).click(WAIT);
    await page.getByRole('button', { name: 'Cancel clip.mp4' }).click(WAIT);
    await page.goto(`${daemon.address}#/ended`);
    await page.getByRole('button', { name: 'Retry clip.mp4' }).click(WAIT);
    await page.getByText(/clip\.mp4\) queued again/).waitFor(WAIT);
    await daemon.running.killGroup();
    await page.locator('main').getByText('The daemon does not answer.').waitFor(WAIT);
    await daemon.restart();
    await page
      .locator('main')
      .getByText('The daemon does not answer.')
      .waitFor({ ...WAIT, state: 'detached' });
    await page.goto(`${daemon.address}#/queue`);
    await page.getByRole('button', { name: 'Resume the queue' }).first().click(WAIT);
    await page.goto(`${daemon.address}#/ended`);
    await page.locator('.row .dot.done').waitFor(WAIT);
  },
);

browserTest(
  `axe finds no serious fault in any panel at any width, and no script fails${suffix}`,
  { tags: ['slow'], timeout: 300_000 },
  async () => {
    const daemon = await DaemonWithPage.start();
    makeClip(join(daemon.home, 'input/lanczos-2x/clip.mp4'), { frames: 10, audio: false });
    const page = await openBrowser(`${daemon.address}#/ended`);
    await page.locator('.row .dot.done').waitFor(WAIT);
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(error.message));
    for (const panel of PANELS) {
      await page.goto(`${daemon.address}#/${panel}`);
      await page
        .locator('main h1')
        .first()
        .waitFor({ ...WAIT, state: 'attached' });
      await page
        .locator('.loading, .compare[role=status]')
        .first()
        .waitFor({ ...WAIT, state: 'detached' });
      if (panel === 'machine') await page.locator('canvas').first().waitFor(WAIT);
      await checkAppearance(page, panel.replace('/', '-'));
    }
    // From another machine, the page asks for its token first.
    await page.setExtraHTTPHeaders({ 'x-forwarded-for': '192.0.2.1' });
    await page.reload();
    await page.getByLabel('Token').waitFor(WAIT);
    await checkAppearance(page, 'sign-in');
    await page.getByLabel('Token').fill(daemon.token);
    await page.getByRole('button', { name: 'Open' }).click();
    await page.getByRole('navigation', { name: 'Panels' }).waitFor(WAIT);
    expect(faults).toEqual([]);
  },
);

browserTest(`no panel is wider than a phone, also with long names${suffix}`, { tags: ['slow'] }, async () => {
  const daemon = await DaemonWithPage.start();
  await daemon.change('/api/queue/pause');
  const name = 'Episode 00001 – a rather long title of a recording from the television';
  makeClip(join(daemon.home, `input/lanczos-2x/${name}.mp4`), { frames: 5, audio: false });
  const page = await openBrowser(daemon.address);
  await page.locator('.row-link').waitFor(WAIT);
  await page.setViewportSize({ width: 390, height: 844 });
  const wide: string[] = [];
  for (const panel of ['now', 'queue', 'job/1', 'add', 'try', 'log', 'machine', 'settings', 'doctor']) {
    await page.goto(`${daemon.address}#/${panel}`);
    await page.locator('.loading').waitFor({ ...WAIT, state: 'detached' });
    const width = await page.evaluate<number>('document.documentElement.scrollWidth');
    if (width > 390) wide.push(`${panel}: ${width}`);
  }
  expect(wide).toEqual([]);
  // The name of the program stays on one line beside the longest state.
  await daemon.running.killGroup();
  await page.getByText('Daemon not reachable').waitFor(WAIT);
  const brand = await page.locator('nav .brand').boundingBox();
  expect(brand?.height).toBeLessThan(40);
});
