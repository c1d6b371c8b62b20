import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { FAIL_POINTS } from '../../src/lib/fail-point.ts';
import { frameMd5, makeClip } from '../helpers/clips.ts';
import { failPointFolder } from '../helpers/fail-points.ts';
import { makeHome, readLog, run, start } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const SETTINGS = `intake: { settleSeconds: 0.2 }
batch: { firstFrames: 10, frames: 20 }
workspace: { memoryFraction: 0.05 }
output: { source: move }
`;

function framesOfUndisturbedRun(): string[] {
  const home = makeHome(temporaryFolder(), SETTINGS);
  makeClip(join(home, 'input/lanczos-2x/clip.mp4'), { frames: 90 });
  expect(run(['start', '--once', '--home', home]).status).toBe(0);
  return frameMd5(join(home, 'output/lanczos-2x/clip.mp4'));
}

test(
  'a job with a spill, a crash, a damaged segment and commands passes every fail point',
  { tags: ['slow'] },
  async () => {
    const home = makeHome(temporaryFolder(), SETTINGS);
    const points = failPointFolder(join(home, 'points'));
    makeClip(join(home, 'input/lanczos-2x/clip.mp4'), { frames: 90 });
    // On another file system, if there is one, the source cannot be moved by a rename.
    const elsewhere = `/dev/shm/framekiln-test-${process.pid}`;
    mkdirSync(elsewhere);
    onTestFinished(() => rmSync(elsewhere, { recursive: true }));
    symlinkSync(elsewhere, join(home, 'finished'));
    // Reached without hard links (fat-output.test.ts) and by videos that are analysed first (dual-face.test.ts).
    const unreachable: string[] = [
      'placeholder.made',
      ...FAIL_POINTS.filter((name) => /^(commit-analysis|store-directions)\./.test(name)),
    ];
    if (statSync(elsewhere).dev === statSync(home).dev)
      unreachable.push(...FAIL_POINTS.filter((name) => name.startsWith('moved-source')));

    // The RAM disk is full when frames are written, and the whole process group is killed when the third segment is
    // closed: then the first one has its checkpoint, because only two batches may be without.
    points.arm('ram-disk.stamped 1 stop', 'segment.closed 3 kill-group');
    const first = start(['start', '--home', home], points.environment);
    await expect.poll(() => points.hasFired('ram-disk.stamped'), { timeout: 60_000 }).toBe(true);
    const mounted = readFileSync('/proc/self/mounts', 'utf8').includes(home);
    if (mounted) {
      const ramDisk = join(home, '.framekiln/ram', readdirSync(join(home, '.framekiln/ram'))[0] ?? '');
      execFileSync('mount', ['-o', 'remount,size=64k', ramDisk]);
    } else {
      unreachable.push('frames.before-spill', 'ram-disk.unmounted');
    }
    process.kill(-(first.child.pid ?? 0), 'SIGCONT');
    await first.ended;

    const segments = join(home, '.framekiln/jobs/1/segments');
    writeFileSync(join(segments, readdirSync(segments).find((name) => name.startsWith('b0000')) ?? ''), 'x');
    points.arm('segment.verified 1 kill');
    expect(run(['start', '--once', '--home', home], points.environment).status).toBe(0);
    expect(readLog(home)).toMatch(/segment of batch 0 is missing or damaged/);
    expect(readLog(home)).toMatch(/worker crashed \(signal SIGKILL\)/);
    if (mounted) expect(readLog(home)).toMatch(/not enough space on the RAM disk for/);
    // The number alone would not show a spilled frame that is black or repeated.
    const frames = frameMd5(join(home, 'output/lanczos-2x/clip.mp4'));
    expect(frames).toHaveLength(90);
    expect(frames).toEqual(framesOfUndisturbedRun());
    expect(readdirSync(elsewhere)).toEqual(['clip.mp4']);

    run(['doctor', '--home', home], points.environment);
    const second = start(['start', '--home', home], points.environment);
    for (const command of [['retry', '1'], ['cancel', '1'], ['pause']])
      expect(run([...command, '--home', home], points.environment).status).toBe(0);
    second.child.kill('SIGTERM');
    await second.ended;

    const reached = points.reached();
    expect(FAIL_POINTS.filter((name) => !reached.has(name)).toSorted()).toEqual(unreachable.toSorted());
    expect([...reached].filter((name) => !(FAIL_POINTS as readonly string[]).includes(name))).toEqual([]);
  },
);
