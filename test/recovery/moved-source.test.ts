import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { openQueue } from '../../src/queue/queue.ts';
import { frameMd5, makeClip } from '../helpers/clips.ts';
import { failPointFolder } from '../helpers/fail-points.ts';
import { faultyFfmpeg } from '../helpers/faulty-ffmpeg.ts';
import { filesBelow, makeHome, processesOf, readLog, start } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

function newHome() {
  const home = makeHome(
    temporaryFolder(),
    'intake: { settleSeconds: 0.2, rescanSeconds: 1 }\nworkspace: { memoryFraction: 0.05 }\n',
  );
  return { home, points: failPointFolder(join(home, 'points')) };
}

function clip(path: string): string {
  mkdirSync(dirname(path), { recursive: true });
  return makeClip(path, { width: 32, height: 32, frames: 10 });
}

function job(home: string) {
  const queue = openQueue(join(home, '.framekiln/framekiln.db'));
  try {
    return queue.jobs.getJob(1);
  } finally {
    queue.close();
  }
}

function workerOf(home: string): number {
  const isWorker = (pid: number): boolean => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('entry');
  const pid = processesOf(home).find(isWorker);
  if (pid === undefined) throw new Error('There is no worker.');
  return pid;
}

const WAIT = { timeout: 20_000, interval: 50 };

test.each([
  ['renamed', 'input/lanczos-2x/clip.mp4', 'input/lanczos-2x/holiday.mp4'],
  ['moved to another folder', 'input/lanczos-2x/clip.mp4', 'input/lanczos-2x/2026/clip.mp4'],
])('a source that is %s while its job runs is followed, and no frame is lost', async (_, from, to) => {
  const { home, points } = newHome();
  clip(join(home, from));
  points.arm('output.before-join 1 stop');
  const { ended } = start(['start', '--once', '--home', home], points.environment);
  await vi.waitFor(() => expect(points.hasFired('output.before-join')).toBe(true), WAIT);
  mkdirSync(dirname(join(home, to)), { recursive: true });
  renameSync(join(home, from), join(home, to));
  await vi.waitFor(() => expect(job(home)?.sourcePath).toBe(join(home, to)), WAIT);
  process.kill(workerOf(home), 'SIGCONT');
  expect(await ended, readLog(home)).toBe(0);
  expect(job(home)).toMatchObject({ state: 'done', attempts: 1 });
  expect(filesBelow(join(home, 'output'))).toHaveLength(1);
  expect(readLog(home)).toMatch(/resuming from checkpoint: 10 of 10 frames already done/);
  expect(readLog(home)).not.toMatch(/rejected|failed/);
});

test('a source that is renamed while it is indexed is not called damaged, and is followed', async () => {
  const { home } = newHome();
  const [from, to] = ['clip', 'holiday'].map((name) => join(home, `input/lanczos-2x/${name}.mp4`));
  clip(from ?? '');
  // The index pass also reads the captions, with libx264.
  const path = faultyFfmpeg(temporaryFolder(), ' libx264 ', `mv ${from} ${to}`);
  const { ended } = start(['start', '--once', '--home', home], { PATH: path });
  expect(await ended, readLog(home)).toBe(0);
  expect(job(home)).toMatchObject({ state: 'done', sourcePath: to });
  expect(readLog(home)).not.toMatch(/NO_DECODABLE_FRAME|DAMAGED/);
});

test(
  'of two copies in input/, the second is used if the first is deleted while its job runs',
  { tags: ['slow'] },
  async () => {
    const { home, points } = newHome();
    const first = clip(join(home, 'input/lanczos-2x/a/clip.mp4'));
    const second = join(home, 'input/lanczos-2x/b/copy.mp4');
    mkdirSync(dirname(second));
    copyFileSync(first, second);
    points.arm('output.before-join 1 stop');
    const { ended } = start(['start', '--once', '--home', home], points.environment);
    await vi.waitFor(() => expect(points.hasFired('output.before-join')).toBe(true), WAIT);
    await vi.waitFor(() => expect(readLog(home)).toMatch(/copy\.mp4 skipped: same content as job 1/), WAIT);
    rmSync(first);
    process.kill(workerOf(home), 'SIGCONT');
    expect(await ended, readLog(home)).toBe(0);
    expect(job(home)).toMatchObject({ state: 'done', sourcePath: second });
    expect(frameMd5(job(home)?.outputPath ?? '')).toHaveLength(10);
  },
);
