import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { openBrowser, whyNoBrowser } from '../../helpers/browser.ts';
import { makeClip } from '../../helpers/clips.ts';
import { DaemonWithPage } from '../../helpers/daemon-with-page.ts';
import { checkAppearance } from '../../helpers/screenshots.ts';
import { mayMount, mountTmpfs } from '../../helpers/tmpfs.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const WAIT = { timeout: 60_000 };
const SLOW = { tags: ['slow'], timeout: 300_000 };
const why = whyNoBrowser ?? (mayMount() ? null : 'needs the right to mount');
const suffix = whyNoBrowser === null ? '' : ` (${whyNoBrowser})`;
const whySuffix = why === null ? '' : ` (${why})`;

/** A daemon whose output/ is a small disk. */
async function withSmallDisk(): Promise<{ daemon: DaemonWithPage; remount: (how: string) => void }> {
  const root = temporaryFolder();
  const { remount } = mountTmpfs(join(root, 'output'), 'size=8m');
  return { daemon: await DaemonWithPage.start({ root }), remount };
}

function addClip(daemon: DaemonWithPage, frames: number, name = 'clip'): void {
  makeClip(join(daemon.home, `input/lanczos-2x/${name}.mp4`), { frames, audio: false });
}

/** Reads a text in the main part, which is looked at. */
async function shows(page: Page, text: string | RegExp): Promise<void> {
  await page.locator('main').getByText(text).first().waitFor(WAIT);
}

it.skipIf(why !== null)(`a full disk: the page says it and what waits for it${whySuffix}`, SLOW, async () => {
  const { daemon } = await withSmallDisk();
  const page = await openBrowser(daemon.address);
  execFileSync('sh', ['-c', 'head -c 9000000 /dev/zero > "$0" || true', join(daemon.home, 'output/filler')], {
    stdio: 'ignore',
  });
  addClip(daemon, 60);
  await shows(page, /The disk is almost full/);
  await page.locator('.row-link').first().waitFor(WAIT);
  await shows(page, /clip\.mp4 needs about \d+ kB in .*, but only 0 kB is free/);
  await checkAppearance(page, 'disk-full-now');
  await page.goto(`${daemon.address}#/queue`);
  await page.locator('.row .warn').first().waitFor(WAIT);
  await checkAppearance(page, 'disk-full-queue');
});

it.skipIf(why !== null)(`a read-only disk: one message, not two${whySuffix}`, SLOW, async () => {
  const { daemon, remount } = await withSmallDisk();
  remount('ro');
  addClip(daemon, 30);
  const page = await openBrowser(daemon.address);
  await shows(page, /is on a read-only file system/);
  await checkAppearance(page, 'read-only-now');
  expect(await page.locator('main').getByText('read-only').count()).toBe(1);
});

it.skipIf(whyNoBrowser !== null)(`a worker that crashes again and again${suffix}`, SLOW, async () => {
  const daemon = await DaemonWithPage.start({
    armed: Array.from({ length: 60 }, (_, i) => `claim.before-write ${i + 1} kill` as const),
  });
  const page = await openBrowser(daemon.address);
  addClip(daemon, 30);
  await shows(page, /The worker crashed/);
  await checkAppearance(page, 'failing-now');
});

it.skipIf(whyNoBrowser !== null)(
  `paused by somebody, by a job and for quiet hours${suffix}`,
  SLOW,
  async () => {
    const daemon = await DaemonWithPage.start();
    await daemon.change('/api/queue/pause');
    addClip(daemon, 30);
    const page = await openBrowser(daemon.address);
    await shows(page, 'The queue is paused');
    await page.locator('.row-link').first().waitFor(WAIT);
    await checkAppearance(page, 'paused-now');
    await daemon.change('/api/queue/resume');
    await daemon.change('/api/settings', {
      changes: [{ key: 'throttling.quietHours', value: ['00:00-12:00', '12:00-00:00'] }],
    });
    addClip(daemon, 30, 'second');
    await shows(page, /quiet hours/i);
    await checkAppearance(page, 'quiet-hours-now');
    // The daemon is gone.
    await daemon.running.killGroup();
    await shows(page, 'The daemon does not answer.');
    await checkAppearance(page, 'gone-now');
  },
);

it.skipIf(whyNoBrowser !== null)(`ten thousand jobs are scrolled smoothly${suffix}`, SLOW, async () => {
  const daemon = await DaemonWithPage.start();
  await daemon.change('/api/queue/pause');
  addClip(daemon, 10);
  await expect
    .poll(async () => (await daemon.ask('GET', '/api/jobs')).text.includes('clip.mp4'), WAIT)
    .toBe(true);
  fillQueue(daemon.home, 10_000);
  const page = await openBrowser(`${daemon.address}#/queue`);
  await page.locator('.row').first().waitFor(WAIT);
  await checkAppearance(page, 'thousands-queue');
  await page.evaluate('scrollTo(0, document.documentElement.scrollHeight / 2)');
  await page
    .getByText(/episode 0?5\d\d\d\.mp4/)
    .first()
    .waitFor(WAIT);
  expect(await page.locator('.row').count()).toBeLessThan(100);
  await selectAll(page);
  await page.goto(`${daemon.address}#/ended`);
  await page.locator('.row .dot.failed').first().waitFor(WAIT);
  await checkAppearance(page, 'thousands-ended');
  await page.goto(`${daemon.address}#/job/98`);
  await page.getByText('The source no longer exists').waitFor(WAIT);
  await checkAppearance(page, 'job-failed');
});

/** Selects all queued jobs, most of which are not loaded, and gives them another priority, which is taken back. */
async function selectAll(page: Page): Promise<void> {
  await page.locator('.rows').focus();
  await page.keyboard.press('Control+a');
  await page
    .getByRole('region', { name: 'Selected jobs' })
    .getByText(/^8.908 selected$/)
    .waitFor(WAIT);
  await page.getByRole('spinbutton', { name: 'Priority' }).fill('7');
  await page.keyboard.press('Enter');
  // A busy daemon says that it will.
  await page.getByRole('button', { name: 'Undo' }).click(WAIT);
  await page.getByText('Undone.').waitFor(WAIT);
}

/** Copies the row of the first job, in the real database: queued ones, and some that ended. */
function fillQueue(home: string, count: number): void {
  const db = new SqliteDatabase(join(home, '.framekiln/framekiln.db'));
  try {
    const columns = db
      .prepare<[], { name: string }>("SELECT name FROM pragma_table_info('jobs')")
      .all()
      .map(({ name }) => name)
      .filter((name) => name !== 'id');
    const changed: Record<string, string> = {
      fingerprint: "fingerprint || '-' || value",
      source_path: "replace(source_path, 'clip.mp4', printf('Series/episode %05d.mp4', value))",
      output_path: "replace(output_path, 'clip.mp4', printf('Series/episode %05d.mp4', value))",
      state: "CASE WHEN value % 10 = 0 THEN 'done' WHEN value % 97 = 0 THEN 'failed' ELSE 'queued' END",
      error_code: "CASE WHEN value % 10 <> 0 AND value % 97 = 0 THEN 'SOURCE_MISSING' END",
      error_message:
        "CASE WHEN value % 10 <> 0 AND value % 97 = 0 THEN 'The source no longer exists; put it back, and retry the job.' END",
      started_at_ms: 'CASE WHEN value % 10 = 0 THEN created_at_ms END',
      finished_at_ms: 'CASE WHEN value % 10 = 0 OR value % 97 = 0 THEN created_at_ms + 64000 + value END',
    };
    const values = columns.map((name) => changed[name] ?? name).join(', ');
    db.prepare(
      `WITH RECURSIVE numbers(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM numbers WHERE value < ?)
       INSERT INTO jobs (${columns.join(', ')}) SELECT ${values} FROM jobs, numbers WHERE id = 1`,
    ).run(count);
  } finally {
    db.close();
  }
}
