import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { openBrowser, whyNoBrowser } from '../../helpers/browser.ts';
import { makeClip } from '../../helpers/clips.ts';
import { DaemonWithPage } from '../../helpers/daemon-with-page.ts';
import { checkAppearance } from '../../helpers/screenshots.ts';

const suffix = whyNoBrowser === null ? '' : ` (${whyNoBrowser})`;
const WAIT = { timeout: 60_000 };

it.skipIf(whyNoBrowser !== null)(
  `the tab shows the progress, the log is filtered and copied, the divider follows mouse, finger and keys${suffix}`,
  { tags: ['slow'] },
  async () => {
    // The job hangs after two checkpoints, so that a percentage is there to be seen.
    const daemon = await DaemonWithPage.start({ armed: ['transformed-frame.before-write 50 hang'] });
    const page = await openBrowser(`${daemon.address}#/log`);
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(error.message));
    await expect.poll(() => page.title(), WAIT).toBe('Framekiln');
    expect(await iconOf(page)).toBe('assets/icon.svg');

    // The log grows while it is looked at.
    makeClip(join(daemon.home, 'input/lanczos-2x/clip.mp4'), { frames: 90, audio: false });
    await page.getByText('queued as job 1').waitFor(WAIT);
    await expect.poll(() => page.title(), WAIT).toMatch(/^[1-9]\d? % clip\.mp4 – Framekiln$/);
    expect(await iconOf(page)).toMatch(/^data:image\/png/);
    writeFileSync(join(daemon.home, 'input/broken.mp4.recipe.yaml'), 'model: foo\n');
    writeFileSync(join(daemon.home, 'input/broken.mp4'), 'rejected for its recipe');
    await page.locator('.line.error', { hasText: 'broken.mp4' }).waitFor(WAIT);
    await checkFilters(page);
    await page.goto(`${daemon.address}#/now`);
    await page.locator('.card.running .compare input').waitFor(WAIT);
    await checkAppearance(page, 'running-now');
    await page.goto(`${daemon.address}#/log`);

    // The page stays open while the daemon is gone, and shows the new daemon's log.
    await daemon.running.killGroup();
    await expect.poll(() => page.title(), WAIT).toBe('Not reachable – Framekiln');
    expect(await iconOf(page)).toBe('assets/icon.svg');
    appendFileSync(join(daemon.home, 'framekiln.yaml'), 'log: { level: debug }\n');
    await daemon.restart();
    await page.locator('.line.debug').first().waitFor(WAIT);
    await page.getByText(/resuming from checkpoint: \d+ of 90 frames already done/).waitFor(WAIT);
    await page.getByText(/done in/).waitFor(WAIT);
    await expect.poll(() => page.title(), WAIT).toBe('Framekiln');

    await page.goto(`${daemon.address}#/job/1`);
    await checkDivider(page);
    await checkAppearance(page, 'job-done');
    expect(faults).toEqual([]);
  },
);

function iconOf(page: Page): Promise<string | null> {
  return page.locator('link[rel=icon]').getAttribute('href');
}

/** Narrows the log to a file and to a level, and copies what is shown. */
async function checkFilters(page: Page): Promise<void> {
  const lines = page.locator('main .line');
  const all = await lines.count();
  const filter = page.getByRole('searchbox', { name: 'Filter by file or text' });
  await filter.fill('CLIP.mp4');
  await expect.poll(() => lines.count(), WAIT).toBeLessThan(all);
  for (const line of await lines.allInnerTexts()) expect(line).toContain('clip.mp4');
  await filter.fill('');
  await page.getByRole('button', { name: 'Errors' }).click();
  await expect.poll(() => page.locator('main .line:not(.error)').count(), WAIT).toBe(0);
  await filter.fill('broken.mp4');
  const shown = await lines.count();
  expect(shown).toBeGreaterThan(0);
  const context = page.context();
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], {
    origin: new URL(page.url()).origin,
  });
  await page.getByRole('button', { name: 'Copy' }).click();
  await page.getByText('Copied').waitFor(WAIT);
  const copied = await page.evaluate<string>('navigator.clipboard.readText()');
  expect(copied.split('\n')).toHaveLength(shown);
  expect(copied).toMatch(/^\d{4}-\d\d-\d\dT\S+Z ERROR broken\.mp4/);
  await filter.fill('no such text');
  await page.getByText('No entry matches this filter.').waitFor(WAIT);
  await page.getByRole('button', { name: 'All' }).click();
  await filter.fill('');
}

/** Moves the divider of a comparison in the three ways that people have. */
async function checkDivider(page: Page): Promise<void> {
  const divider = page.getByRole('slider', { name: 'Divider between Before and After' });
  await divider.waitFor(WAIT);
  const box = await divider.boundingBox();
  if (box === null) throw new Error('The divider is not visible.');
  const at = (share: number): { x: number; y: number } => ({
    x: Math.round(box.x + share * box.width),
    y: Math.round(box.y + box.height / 2),
  });
  /** The value in percent, which is also where the images meet. */
  const value = async (): Promise<number> => {
    const [text, place] = await page.evaluate<[string, string]>(
      `[document.querySelector('.compare input').value, document.querySelector('.compare').style.getPropertyValue('--at')]`,
    );
    expect(place).toBe(`${text}%`);
    return Number(text);
  };

  await page.mouse.move(at(0.5).x, at(0.5).y);
  await page.mouse.down();
  await page.mouse.move(at(0.2).x, at(0.2).y, { steps: 3 });
  await page.mouse.up();
  expect(Math.abs((await value()) - 20)).toBeLessThan(3);

  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setTouchEmulationEnabled', { enabled: true });
  const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', share?: number) =>
    session.send('Input.dispatchTouchEvent', { type, touchPoints: share === undefined ? [] : [at(share)] });
  await touch('touchStart', 0.3);
  for (const share of [0.5, 0.7, 0.8]) await touch('touchMove', share);
  await touch('touchEnd');
  expect(Math.abs((await value()) - 80)).toBeLessThan(3);

  await divider.press('Home');
  expect(await value()).toBe(0);
  await divider.press('ArrowRight');
  expect(await value()).toBe(0.5);
  await divider.press('End');
  expect(await value()).toBe(100);
}
