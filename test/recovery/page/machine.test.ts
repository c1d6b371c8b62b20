import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openBrowser, whyNoBrowser } from '../../helpers/browser.ts';
import { makeClip } from '../../helpers/clips.ts';
import { DaemonWithPage } from '../../helpers/daemon-with-page.ts';

const suffix = whyNoBrowser === null ? '' : ` (${whyNoBrowser})`;
const browserTest = it.skipIf(whyNoBrowser !== null);
const WAIT = { timeout: 60_000 };

browserTest(`the load of the machine is plotted, and kept when the daemon ends${suffix}`, async () => {
  const daemon = await DaemonWithPage.start();
  const page = await openBrowser(`${daemon.address}#/machine`);
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  for (const span of ['24 hours', '7 days', '1 hour']) {
    await page.getByRole('button', { name: span }).click();
    await page
      .getByRole('img', { name: new RegExp(`Use in the last ${span}: Processor \\d+ %`) })
      .waitFor(WAIT);
    await page.locator('.plot canvas').first().waitFor(WAIT);
  }
  expect(faults).toEqual([]);
  daemon.running.child.kill('SIGTERM');
  expect(await daemon.running.ended).toBe(0);
  const file = join(daemon.home, '.framekiln/machine-history.json');
  expect(existsSync(`${file}.part`)).toBe(false);
  const { spans } = JSON.parse(readFileSync(file, 'utf8')) as { spans: Record<string, unknown[]> };
  expect(Object.values(spans).map((points) => points.length > 0)).toEqual([true, true, true]);
});

browserTest(
  `the browser notifies of jobs that end, once that was asked for${suffix}`,
  { tags: ['slow'] },
  async () => {
    const daemon = await DaemonWithPage.start();
    const page = await openBrowser(daemon.address);
    await page.context().grantPermissions(['notifications'], { origin: daemon.address });
    // A headless browser shows no notification, so the page keeps what it was asked to show.
    await page.addInitScript({
      content: `
      globalThis.shown = [];
      globalThis.Notification = class extends Notification {
        constructor(title, options) {
          super(title, options);
          shown.push(title);
        }
      };`,
    });
    await page.reload();
    const button = page.getByRole('button', { name: 'Notify me when a job ends' });
    makeClip(join(daemon.home, 'input/lanczos-2x/first.mp4'), { frames: 5, audio: false });
    await page
      .getByRole('link', { name: /first\.mp4/ })
      .first()
      .waitFor(WAIT);
    await page.locator('.row-link .dot.done').waitFor(WAIT);
    await button.click();
    await page.locator('.notify[aria-pressed=true]').waitFor(WAIT);
    makeClip(join(daemon.home, 'input/lanczos-2x/second.mp4'), { frames: 6, audio: false });
    await expect.poll(() => page.evaluate('shown'), WAIT).toEqual(['second.mp4 is done']);
  },
);
