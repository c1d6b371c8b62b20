import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { FailPoint } from '../../src/lib/fail-point.ts';
import { openQueue } from '../../src/queue/queue.ts';
import { frameMd5, makeClip } from '../helpers/clips.ts';
import { DaemonWithClip } from '../helpers/daemon-with-clip.ts';
import { failPointFolder } from '../helpers/fail-points.ts';
import { filesBelow, makeHome, readLog, run, start } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/** The fail points after the publication of a file, in order. */
const GAPS = [
  'output.published',
  'publish-job.written',
  'source.before-settling',
  'source.settled',
  'job-folder.before-removal',
  'job-folder.removed',
  'finish-job.before-write',
  'finish-job.written',
] as const satisfies readonly FailPoint[];
const MOVED: readonly FailPoint[] = [
  'moved-source.before-rename',
  'moved-source.published',
  'source.settled',
];

function homeWith(source: 'keep' | 'move' | 'delete') {
  const home = makeHome(
    temporaryFolder(),
    `intake: { settleSeconds: 0.2 }\nworkspace: { memoryFraction: 0.05 }\noutput: { source: ${source} }\n`,
  );
  makeClip(join(home, 'input/lanczos-2x/clip.mp4'), { frames: 10 });
  return { home, points: failPointFolder(join(home, 'points')) };
}

function stateOf(home: string): { state: string | undefined; attempts: number | undefined } {
  const queue = openQueue(join(home, '.framekiln/framekiln.db'));
  const job = queue.jobs.getJob(1);
  queue.close();
  return { state: job?.state, attempts: job?.attempts };
}

test.each([
  ['keep', GAPS.filter((name) => !name.startsWith('source')), ['input/lanczos-2x/clip.mp4']],
  ['move', GAPS, ['finished/clip.mp4']],
  ['delete', GAPS, []],
] as const)(
  'after kills at every point after publication the source is settled once (%s)',
  { tags: ['slow'] },
  async (request, gaps, left) => {
    const { home, points } = homeWith(request);
    for (const gap of gaps) {
      points.arm(`${gap} 1 kill-group`);
      await start(['start', '--once', '--home', home], points.environment).ended;
      expect(points.hasFired(gap), gap).toBe(true);
      expect(frameMd5(join(home, 'output/lanczos-2x/clip.mp4'))).toHaveLength(10);
    }
    expect(run(['start', '--once', '--home', home]).status).toBe(0);
    const places = ['input', 'finished'].flatMap((folder) =>
      filesBelow(join(home, folder)).map((path) => join(folder, path)),
    );
    expect(places).toEqual(left);
    expect(filesBelow(join(home, '.framekiln/jobs'))).toEqual([]);
    expect(readdirSync(join(home, '.framekiln/jobs'))).toEqual([]);
    expect(stateOf(home)).toEqual({ state: 'done', attempts: 1 });
    expect(readLog(home)).not.toMatch(/the source is kept|attempt failed/);
    // Joined once before publication, and again after the kill that came before the publication was recorded.
    expect(readLog(home).match(/joined the segments; verifying/g)).toHaveLength(2);
  },
);

test(
  'after kills during a move to another file system one copy of the source is left',
  { tags: ['slow'] },
  async () => {
    const { home, points } = homeWith('move');
    const elsewhere = `/dev/shm/framekiln-test-settled-${process.pid}`;
    mkdirSync(elsewhere);
    onTestFinished(() => rmSync(elsewhere, { recursive: true }));
    if (statSync(elsewhere).dev === statSync(home).dev) return;
    symlinkSync(elsewhere, join(home, 'finished'));
    for (const point of MOVED) {
      points.arm(`${point} 1 kill-group`);
      await start(['start', '--once', '--home', home], points.environment).ended;
      expect(points.hasFired(point), point).toBe(true);
    }
    expect(run(['start', '--once', '--home', home]).status).toBe(0);
    expect(readdirSync(elsewhere)).toEqual(['clip.mp4']);
    expect(existsSync(join(home, 'input/lanczos-2x/clip.mp4'))).toBe(false);
    expect(stateOf(home).state).toBe('done');
  },
);

test(
  'when a worker is killed before its job is done the next worker settles the source',
  { tags: ['slow'] },
  () => {
    const { home, points } = homeWith('delete');
    points.arm('source.settled 1 kill');
    expect(run(['start', '--once', '--home', home], points.environment).status).toBe(0);
    expect(points.hasFired('source.settled')).toBe(true);
    expect(stateOf(home).state).toBe('done');
    expect(existsSync(join(home, '.framekiln/jobs/1'))).toBe(false);
  },
);

test.each(['delete', 'move'])(
  'a video that replaces the source at the last moment is kept (%s)',
  async (request) => {
    const daemon = new DaemonWithClip({
      frames: 10,
      settings: `output: { source: ${request} }\n`,
      armed: ['source.before-settling 1 stop'],
    });
    const source = join(daemon.home, 'input/lanczos-2x/clip.mp4');
    const next = makeClip(join(temporaryFolder(), 'next.mp4'), { frames: 5 });
    const bytes = readFileSync(next);
    await daemon.waitFor(() => daemon.points.hasFired('source.before-settling'));
    renameSync(next, source);
    daemon.resumeProcesses();
    await daemon.waitFor(() => daemon.job()?.state === 'done');
    expect(readFileSync(source)).toEqual(bytes);
    expect(existsSync(join(daemon.home, 'finished'))).toBe(false);
  },
);
