import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { openBrowser, whyNoBrowser } from '../../helpers/browser.ts';
import { makeClip } from '../../helpers/clips.ts';
import { DaemonWithPage } from '../../helpers/daemon-with-page.ts';
import { checkAppearance } from '../../helpers/screenshots.ts';

const suffix = whyNoBrowser === null ? '' : ` (${whyNoBrowser})`;
const WAIT = { timeout: 60_000 };

interface ListedJob {
  readonly file: string;
  readonly state: string;
  readonly priority: number;
}

/** What the daemon has of each job, in the order of the list, such as `a queued 0`. */
async function listed(daemon: DaemonWithPage, list = 'queue'): Promise<string[]> {
  const { text } = await daemon.ask('GET', `/api/jobs?list=${list}`);
  const { jobs } = JSON.parse(text) as { jobs: ListedJob[] };
  return jobs.map(({ file, state, priority }) => `${file.slice(-5, -4)} ${state} ${priority}`);
}

const box = (page: Page, name: string) => page.getByRole('checkbox', { name: `Select ${name}.mp4` });
const said = (page: Page) => page.locator('main > [role=status].hidden').innerText();
const bar = (page: Page) => page.getByRole('region', { name: 'Selected jobs' });

it.skipIf(whyNoBrowser !== null)(
  `several jobs are selected by mouse and keys, changed together, and changed back${suffix}`,
  { tags: ['slow'] },
  async () => {
    const daemon = await DaemonWithPage.start();
    await daemon.change('/api/queue/pause');
    for (const [i, name] of ['a', 'b', 'c', 'd'].entries())
      makeClip(join(daemon.home, `input/lanczos-2x/${name}.mp4`), { frames: 5 + i, audio: false });
    await expect.poll(async () => (await listed(daemon)).length, WAIT).toBe(4);
    const order = (await listed(daemon)).map(([name]) => name ?? '');
    const [first = '', second = '', third = ''] = order;
    const states = async () => (await listed(daemon)).map((job) => job.split(' ')[1]);
    const page = await openBrowser(`${daemon.address}#/queue`);
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(error.message));

    // By mouse: a range with Shift, which marks no text.
    await box(page, first).click(WAIT);
    await box(page, third).click({ modifiers: ['Shift'] });
    expect(await said(page)).toBe('3 selected');
    expect(await page.evaluate('getSelection().toString()')).toBe('');
    await checkAppearance(page, 'queue-selected');
    await page.setViewportSize({ width: 360, height: 740 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
    await page.setViewportSize({ width: 1280, height: 800 });
    await bar(page).getByRole('button', { name: 'Pause' }).click();
    await page.getByText('3 jobs paused; checkpoints are kept.').waitFor(WAIT);
    expect(await states()).toEqual(['queued', 'paused', 'paused', 'paused']);
    expect(await said(page)).toBe('');
    expect(await page.evaluate('document.activeElement.className')).toBe('rows');
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('Undone.').waitFor(WAIT);
    expect(await listed(daemon)).toEqual(order.map((name) => `${name} queued 0`));

    // By keys.
    await page.locator('.rows').focus();
    await page.keyboard.press('Control+a');
    await expect.poll(() => said(page), WAIT).toBe('4 selected');
    await page.keyboard.press('Escape');
    expect(await said(page)).toBe('');
    await expect.poll(() => page.locator('.row[data-state=queued]').count(), WAIT).toBe(4);
    await box(page, second).focus();
    await page.keyboard.press('Space');
    await page.keyboard.press('Shift+ArrowDown');
    expect(await said(page)).toBe('2 selected');
    expect(await page.evaluate('document.activeElement.ariaLabel')).toBe(`Select ${third}.mp4`);
    await bar(page).getByRole('spinbutton', { name: 'Priority' }).fill('7');
    await page.keyboard.press('Enter');
    await page.getByText('2 jobs set to priority 7.').waitFor(WAIT);
    expect((await listed(daemon)).slice(0, 2)).toEqual([`${second} queued 7`, `${third} queued 7`]);
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect.poll(() => listed(daemon), WAIT).toEqual(order.map((name) => `${name} queued 0`));

    // What cannot be undone waits for five seconds, or until the page is left.
    await page.locator('.rows').focus();
    await page.keyboard.press('Meta+a');
    await expect.poll(() => said(page), WAIT).toBe('4 selected');
    await bar(page).getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('Cancelling 4 jobs …').waitFor(WAIT);
    await page.getByRole('button', { name: 'Undo' }).click();
    expect(await states()).toEqual(['queued', 'queued', 'queued', 'queued']);
    await box(page, first).check();
    await box(page, second).check();
    await bar(page).getByRole('button', { name: 'Cancel' }).click();
    await page.reload();
    await expect.poll(async () => (await listed(daemon)).length, WAIT).toBe(2);

    // In the list of finished jobs.
    await page.goto(`${daemon.address}#/ended`);
    await box(page, first).check();
    await bar(page).getByRole('button', { name: 'Select all 2' }).click();
    await checkAppearance(page, 'ended-selected');
    await bar(page).getByRole('button', { name: 'Retry' }).click();
    await page.getByText('Retrying 2 jobs …').waitFor(WAIT);
    await page.reload();
    await expect.poll(async () => (await listed(daemon)).length, WAIT).toBe(4);
    expect(faults).toEqual([]);
  },
);
