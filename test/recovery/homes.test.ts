import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { FailPoint } from '../../src/lib/fail-point.ts';
import type { Job } from '../../src/domain/job.ts';
import { homeIdIn } from '../../src/queue/home-store.ts';
import { openQueue } from '../../src/queue/queue.ts';
import { frameMd5, makeClip } from '../helpers/clips.ts';
import { failPointFolder, type FailPointFolder } from '../helpers/fail-points.ts';
import { filesBelow, makeHome, readLog, run, start, type Running } from '../helpers/framekiln.ts';
import { mayMount } from '../helpers/tmpfs.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const QUICK = `intake: { settleSeconds: 0.2, rescanSeconds: 1 }
batch: { firstFrames: 10, frames: 20 }
`;

interface Started {
  readonly home: string;
  readonly points: FailPointFolder;
  readonly running: Running;
}

/** A daemon on a new home with one clip, whose worker stops at a fail point. */
async function stoppedDaemon(
  point: FailPoint,
  { root = temporaryFolder(), clip = 'clip.mp4', settings = 'workspace: { memoryFraction: 0.05 }\n' } = {},
): Promise<Started> {
  const home = makeHome(root, QUICK + settings);
  makeClip(join(home, 'input/lanczos-2x', clip), { frames: 30 });
  const points = failPointFolder(join(temporaryFolder(), 'points'));
  points.arm(`${point} 1 stop`);
  const running = start(['start', '--once', '--home', home], points.environment);
  await expect.poll(() => points.hasFired(point), { timeout: 60_000 }).toBe(true);
  return { home, points, running };
}

function jobsOf(home: string): Job[] {
  const queue = openQueue(join(home, '.framekiln/framekiln.db'));
  try {
    return queue.jobs.listJobs();
  } finally {
    queue.close();
  }
}

/** RAM disks of a home in /dev/shm. */
function inShm(homeId: string | null): string[] {
  return readdirSync('/dev/shm').filter((name) => name.startsWith(`framekiln-${homeId ?? ''}-`));
}

test(
  'two homes with one output folder leave each other’s half-written videos alone',
  { tags: ['slow'] },
  async () => {
    const shared = temporaryFolder();
    const root = temporaryFolder();
    symlinkSync(shared, join(root, 'output'));
    const first = await stoppedDaemon('output.joined', { root, clip: 'a.mp4' });
    const [half = ''] = filesBelow(shared);
    expect(half).toContain('.framekiln-');

    const other = makeHome(temporaryFolder(), QUICK);
    symlinkSync(shared, join(other, 'output'));
    makeClip(join(other, 'input/lanczos-2x/b.mp4'), { frames: 40 });
    expect(run(['start', '--once', '--home', other]).status).toBe(0);
    expect(filesBelow(shared).sort()).toEqual([half, 'lanczos-2x/b.mp4'].sort());

    process.kill(-(first.running.child.pid ?? 0), 'SIGCONT');
    expect(await first.running.ended).toBe(0);
    expect(filesBelow(shared).sort()).toEqual(['lanczos-2x/a.mp4', 'lanczos-2x/b.mp4']);
    expect(frameMd5(join(shared, 'lanczos-2x/a.mp4'))).toHaveLength(30);
    expect(frameMd5(join(shared, 'lanczos-2x/b.mp4'))).toHaveLength(40);
    expect(jobsOf(first.home)).toMatchObject([{ id: 1, state: 'done', attempts: 0 }]);
    expect(readLog(first.home)).not.toMatch(/WARN|ERROR/);
  },
);

test(
  'a copied home says that it is a copy, and uses its own files and none of the original',
  { tags: ['slow'] },
  async () => {
    const { home, running } = await stoppedDaemon('segment.closed', {
      settings: 'output: { source: delete }\nworkspace: { memoryFraction: 0.05 }\n',
    });
    await running.killGroup();
    const copy = join(temporaryFolder(), 'copy');
    cpSync(home, copy, { recursive: true, preserveTimestamps: true });

    expect(run(['start', '--once', '--home', copy]).status).toBe(0);
    expect(readLog(copy)).toMatch(new RegExp(`WARN .*is a copy of ${home}`));
    expect(filesBelow(join(copy, 'input'))).toEqual([]);
    expect(frameMd5(join(copy, 'output/lanczos-2x/clip.mp4'))).toHaveLength(30);
    expect(filesBelow(join(home, 'input'))).toEqual(['lanczos-2x/clip.mp4']);
    expect(filesBelow(join(home, 'output'))).toEqual([]);

    // The original is not affected.
    expect(run(['start', '--once', '--home', home]).status).toBe(0);
    expect(frameMd5(join(home, 'output/lanczos-2x/clip.mp4'))).toHaveLength(30);
    expect(readLog(home)).not.toMatch(/is a copy/);
  },
);

test.for(['shm', 'mount'] as const)(
  'a moved home removes the RAM disk that it left (%s)',
  { tags: ['slow'] },
  async (kind, { skip }) => {
    if (kind === 'mount' && !mayMount()) skip('mounting a tmpfs is not permitted here');
    const root = join(temporaryFolder(), 'home');
    mkdirSync(root);
    const { home, running } = await stoppedDaemon('transformed-frame.written', {
      root,
      settings: `workspace: { kind: ${kind}, memoryFraction: 0.05 }\n`,
    });
    await running.killGroup();
    const id = homeIdIn(join(home, '.framekiln/framekiln.db'));
    if (kind === 'shm') expect(inShm(id)).toHaveLength(1);
    const moved = join(temporaryFolder(), 'moved');
    renameSync(home, moved);
    expect(run(['start', '--once', '--home', moved]).status).toBe(0);
    expect(frameMd5(join(moved, 'output/lanczos-2x/clip.mp4'))).toHaveLength(30);
    expect(readLog(moved)).toMatch(new RegExp(`INFO .*moved from ${home}`));
    expect(inShm(id)).toEqual([]);
    expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(moved);
  },
);

test('files in .framekiln and logs are private; finished videos and their folders follow the umask', async () => {
  const umask = process.umask(0o002);
  onTestFinished(() => void process.umask(umask));
  const { home, running } = await stoppedDaemon('segment.verified', {
    settings: 'workspace: { kind: folder, memoryFraction: 0.05 }\n',
  });
  const readable = ['.framekiln', 'logs']
    .flatMap((folder) => [
      join(home, folder),
      ...readdirSync(join(home, folder), { recursive: true }).map((name) => join(home, folder, String(name))),
    ])
    .filter((path) => (statSync(path).mode & 0o077) !== 0);
  expect(readable).toEqual([]);
  expect(existsSync(join(home, '.framekiln/framekiln.db-wal'))).toBe(true);
  process.kill(-(running.child.pid ?? 0), 'SIGCONT');
  expect(await running.ended).toBe(0);
  const modes = ['output', 'output/lanczos-2x', 'output/lanczos-2x/clip.mp4'].map((path) =>
    (statSync(join(home, path)).mode & 0o777).toString(8),
  );
  expect(modes).toEqual(['775', '775', '664']);
});
