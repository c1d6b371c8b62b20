import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openQueue } from '../../src/queue/queue.ts';
import { frameMd5, makeClip } from '../helpers/clips.ts';
import { failPointFolder } from '../helpers/fail-points.ts';
import { makeHome, readLog, run, start } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const QUICK = `intake: { settleSeconds: 0.2 }
batch: { firstFrames: 10, frames: 20 }
workspace: { memoryFraction: 0.05 }
engine: { stallSeconds: 2 }
`;

interface ShownJob {
  readonly state: string;
  readonly error: { readonly code: string } | null;
  readonly attempts: number;
}

/** Runs two clips with a model that hangs once, in the middle of a first batch. */
function runWithHang(settings: string) {
  const home = makeHome(temporaryFolder(), `${QUICK}${settings}`);
  for (const [i, name] of ['a', 'b'].entries())
    makeClip(join(home, `input/lanczos-2x/${name}.mp4`), { frames: 40, filter: `hue=h=${90 * i}` });
  const points = failPointFolder(join(temporaryFolder(), 'points'));
  points.arm('transformed-frame.before-write 5 hang');
  const { status } = run(['start', '--once', '--home', home], points.environment);
  expect(points.hasFired('transformed-frame.before-write')).toBe(true);
  const { jobs } = JSON.parse(run(['status', '--json', '--home', home]).stdout) as { jobs: ShownJob[] };
  return { home, status, jobs, log: readLog(home) };
}

test(
  'a hang on the last attempt fails the job, leaves nothing behind, and the next job completes',
  { tags: ['slow'] },
  () => {
    const { home, jobs, log } = runWithHang('attempts: 1\nstreams: { max: 1 }\n');
    expect(jobs).toMatchObject([{ state: 'failed', error: { code: 'ENGINE_STALLED' } }, { state: 'done' }]);
    expect(log).not.toMatch(/worker crashed|UnhandledPromiseRejection|node:internal/);
    expect(frameMd5(join(home, 'output/lanczos-2x/b.mp4'))).toHaveLength(40);
    expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(home);
  },
);

test(
  'a hang while two jobs run costs neither an attempt: each resumes alone and completes',
  { tags: ['slow'] },
  () => {
    const { status, jobs, log } = runWithHang('attempts: 1\nstreams: { max: 2 }\n');
    expect(log).toMatch(/worker: The model made no progress for 2 s and used almost no CPU time/);
    expect(log).toMatch(/worker crashed/);
    expect(log).not.toMatch(/attempt failed|failed permanently/);
    expect(jobs).toMatchObject([{ state: 'done' }, { state: 'done' }]);
    expect(status).toBe(0);
  },
);

test(
  'a job that is paused and resumed at once is not claimed by the worker that is still releasing it',
  { tags: ['slow'] },
  async () => {
    const home = makeHome(temporaryFolder(), `${QUICK}streams: { max: 2 }\n`);
    makeClip(join(home, 'input/lanczos-2x/a.mp4'), { frames: 40 });
    const points = failPointFolder(join(temporaryFolder(), 'points'));
    points.arm('transformed-frame.before-write 5 hang');
    const daemon = start(['start', '--once', '--home', home], points.environment);
    await expect
      .poll(() => points.hasFired('transformed-frame.before-write'), { timeout: 60_000 })
      .toBe(true);
    // Both requests are waiting when the daemon continues; the hung thread delays the release of the job.
    daemon.child.kill('SIGSTOP');
    const queue = openQueue(join(home, '.framekiln/framekiln.db'));
    for (const kind of ['pause', 'resume'] as const)
      queue.commands.insertCommand({ kind, jobId: 1, argument: null, nowMs: Date.now() });
    queue.close();
    daemon.child.kill('SIGCONT');
    expect(await daemon.ended).toBe(0);
    const log = readLog(home);
    expect(log).toMatch(/(stopped: the job was paused|back in the queue)/);
    expect(log).not.toMatch(/attempt failed|worker crashed/);
    expect(log.match(/\[a\.mp4\] lanczos, scale 2/g)).toHaveLength(2);
    expect(frameMd5(join(home, 'output/lanczos-2x/a.mp4'))).toHaveLength(40);
  },
);
