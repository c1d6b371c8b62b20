import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Job } from '../../src/domain/job.ts';
import { openQueue } from '../../src/queue/queue.ts';
import { frameMd5, makeClip } from '../helpers/clips.ts';
import { endWaits } from '../helpers/end-waits.ts';
import {
  filesBelow,
  makeHome,
  processesOf,
  readLog,
  resumedFrames,
  run,
  start,
} from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/** A home with a clip that takes a few seconds, and a daemon that is processing it. */
function startOnClip(frames = 120) {
  const home = makeHome(temporaryFolder());
  makeClip(join(home, 'input/clip.mp4'), { frames });
  return { home, running: start(['start', '--home', home]) };
}

function job(home: string, id = 1): Job | null {
  if (!existsSync(join(home, '.framekiln/framekiln.db'))) return null;
  const queue = openQueue(join(home, '.framekiln/framekiln.db'));
  try {
    return queue.jobs.getJob(id);
  } finally {
    queue.close();
  }
}

/** Number of committed batches of job 1; frames that are still in the encoder do not count. */
function batchCount(home: string): number {
  if (!existsSync(join(home, '.framekiln/framekiln.db'))) return 0;
  const queue = openQueue(join(home, '.framekiln/framekiln.db'));
  try {
    return queue.batches.listBatches(1).length;
  } finally {
    queue.close();
  }
}

const waitFor = <T>(probe: () => T) => expect.poll(probe, { timeout: 60_000, interval: 50 });

/** Mounts of RAM disks, and files of frames. */
function ramDisks(home: string): string[] {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .filter((line) => line.includes(home));
  return [...mounts, ...['ram', 'frames'].flatMap((kind) => filesBelow(join(home, '.framekiln', kind)))];
}

/** All child processes of a process, and their children. */
function descendantsOf(pid: number): { pid: number; command: string }[] {
  const all = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' }).trim().split('\n');
  const rows = all.map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []);
  const direct = rows.filter(([, , parent]) => Number(parent) === pid);
  return direct.flatMap(([, child = '0', , command = '']) => [
    { pid: Number(child), command },
    ...descendantsOf(Number(child)),
  ]);
}

test('a clean stop takes at most 1.5 s, leaves no process and no RAM disk, and costs no attempt', async () => {
  const { home, running } = startOnClip();
  await waitFor(() => batchCount(home)).toBeGreaterThan(0);
  const startedAt = performance.now();
  running.child.kill('SIGTERM');
  expect(await running.ended).toBe(0);
  expect(performance.now() - startedAt).toBeLessThan(1500);
  expect(processesOf(home)).toEqual([]);
  expect(ramDisks(home)).toEqual([]);
  expect(job(home)).toMatchObject({ state: 'queued', attempts: 0 });
  expect(batchCount(home)).toBeGreaterThan(0);
});

test('a killed worker is restarted, and no committed frame is lost', { tags: ['slow'] }, async () => {
  const { home, running } = startOnClip();
  await waitFor(() => batchCount(home)).toBeGreaterThan(1);
  const before = batchCount(home);
  const worker = descendantsOf(running.child.pid ?? 0).find(({ command }) =>
    command.includes('worker/entry.js'),
  );
  process.kill(worker?.pid ?? 0, 'SIGKILL');
  await waitFor(() => job(home)?.state).toBe('done');
  expect(readLog(home)).toMatch(/worker crashed \(signal SIGKILL\)/);
  // Batches of 10, 20, 20 … frames; up to two more may have been committed before the kill.
  expect([0, 1, 2].map((more) => 20 * (before + more) - 10)).toContain(resumedFrames(readLog(home)));
  expect(frameMd5(join(home, 'output/clip.mp4'))).toHaveLength(120);
});

test('a killed ffmpeg costs one attempt, and the job still completes', { tags: ['slow'] }, async () => {
  const { home, running } = startOnClip(240);
  await waitFor(() => batchCount(home)).toBeGreaterThan(0);
  await waitFor(() => {
    const encoder = descendantsOf(running.child.pid ?? 0).find(({ command }) => command.includes('libx264'));
    if (encoder === undefined) return false;
    process.kill(encoder.pid, 'SIGKILL');
    return true;
  }).toBe(true);
  await waitFor(() => job(home)?.state).toBe('done');
  expect(readLog(home)).toMatch(
    /attempt failed: ffmpeg failed \(signal SIGKILL\) while encoding with libx264/,
  );
  expect(frameMd5(join(home, 'output/clip.mp4'))).toHaveLength(240);
});

test('pause, resume and cancel', { tags: ['slow'] }, async () => {
  // Long enough that it does not end before a command arrives.
  const { home } = startOnClip(600);
  await waitFor(() => batchCount(home)).toBeGreaterThan(0);
  expect(run(['pause', '1', '--home', home])).toMatchObject({ status: 0 });
  expect(job(home)).toMatchObject({ state: 'paused', attempts: 0 });
  await waitFor(() => ramDisks(home)).toEqual([]);
  const kept = batchCount(home);
  expect(kept).toBeGreaterThan(0);
  expect(run(['resume', '1', '--home', home]).status).toBe(0);
  await waitFor(() => batchCount(home)).toBeGreaterThan(kept);
  expect(run(['cancel', '1', '--home', home]).status).toBe(0);
  await waitFor(() => [...ramDisks(home), ...filesBelow(join(home, '.framekiln/jobs'))]).toEqual([]);
  expect(job(home)?.state).toBe('cancelled');
  expect(readdirSync(join(home, 'output'))).toEqual([]);
});

test('a second daemon on the same home exits with a message; killing the first releases the lock', async () => {
  const { home, running } = startOnClip(20);
  await waitFor(() => job(home)?.state).toBe('running');
  const second = run(['start', '--home', home]);
  expect(second.status).toBe(4);
  expect(second.stdout + second.stderr).toMatch(/another Framekiln daemon is already using/);
  await running.killGroup();
  expect(run(['start', '--once', '--home', home]).status).toBe(0);
});

test(
  'a damaged segment is discarded, and only its frames are processed again',
  { tags: ['slow'] },
  async () => {
    const { home, running } = startOnClip();
    await waitFor(() => batchCount(home)).toBeGreaterThan(3);
    await running.killGroup();
    const segments = join(home, '.framekiln/jobs/1/segments');
    const [first = ''] = readdirSync(segments).filter((name) => name.startsWith('b0001.'));
    const bytes = readFileSync(join(segments, first));
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 0xff;
    writeFileSync(join(segments, first), bytes);
    expect(run(['start', '--once', '--home', home]).status).toBe(0);
    expect(readLog(home)).toMatch(/segment of batch 1 is missing or damaged; processing 20 frames again/);
    expect(frameMd5(join(home, 'output/clip.mp4'))).toHaveLength(120);
  },
);

test(
  'a source that is deleted or replaced while its job is stopped fails the job with the reason',
  { tags: ['slow'] },
  async () => {
    const { home, running } = startOnClip();
    await waitFor(() => batchCount(home)).toBeGreaterThan(0);
    await running.killGroup();
    rmSync(join(home, 'input/clip.mp4'));
    run(['start', '--once', '--home', home]);
    expect(job(home)).toMatchObject({ state: 'failed', errorCode: 'SOURCE_MISSING' });
    makeClip(join(home, 'input/clip.mp4'), { frames: 30 });
    expect(run(['start', '--once', '--home', home]).status).toBe(0);
    expect(job(home, 2)).toMatchObject({ state: 'done', framesTotal: 30 });
  },
);

test('a job that always fails does not stop the next one', () => {
  // The model is not a valid file, so every attempt fails in the engine.
  const home = makeHome(temporaryFolder());
  writeFileSync(join(home, 'models/x.onnx'), 'no model', { flag: 'w' });
  makeClip(join(home, 'input/bad.mp4'), { frames: 20 });
  writeFileSync(join(home, 'input/bad.mp4.recipe.yaml'), `model: ${join(home, 'models/x.onnx')}\n`);
  makeClip(join(home, 'input/lanczos-2x/good.mp4'), { frames: 20 });
  expect(run(['start', '--once', '--home', home]).status).toBe(1);
  const jobs = [job(home, 1), job(home, 2)];
  expect(jobs.map((each) => each?.state).sort()).toEqual(['done', 'failed']);
  expect(jobs.find((each) => each?.state === 'failed')).toMatchObject({ errorCode: 'MODEL_UNREADABLE' });
});

test('a finished video never replaces its source, and is never written to the input folder', () => {
  const home = makeHome(temporaryFolder());
  const clip = makeClip(join(home, 'clip.mp4'), { frames: 10 });
  const before = readFileSync(clip);
  const over = run(['run', clip, '--model', 'lanczos', '--output', home, '--home', home]);
  expect(over.status).toBe(2);
  expect(over.stderr).toMatch(/would replace its source/);
  const into = run(['run', clip, '--model', 'lanczos', '--output', join(home, 'input'), '--home', home]);
  expect(into.stderr).toMatch(/would be written to the input folder/);
  expect(readFileSync(clip).equals(before)).toBe(true);
});

test('--once exits with 0 only when everything in the input folder is done; a paused job is not', async () => {
  const { home, running } = startOnClip();
  await waitFor(() => job(home)?.state).toBe('running');
  expect(run(['pause', '1', '--home', home]).status).toBe(0);
  running.child.kill('SIGTERM');
  await running.ended;
  expect(run(['start', '--once', '--home', home]).status).toBe(1);
});

test(
  'on a full disk the job waits, resumes when there is space, and loses nothing',
  { tags: ['slow'] },
  async ({ skip }) => {
    const root = temporaryFolder();
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'framekiln-test', root], { stdio: 'ignore' });
    } catch {
      skip('mounting a small file system is not permitted here');
    }
    onTestFinished(() => void execFileSync('umount', ['--lazy', root]));
    const home = makeHome(root);
    makeClip(join(home, 'input/clip.mp4'), { frames: 120 });
    const { child } = start(['start', '--home', home]);
    await waitFor(() => batchCount(home)).toBeGreaterThan(0);
    const ballast = join(root, 'ballast');
    try {
      writeFileSync(ballast, Buffer.alloc(24 * 1024 * 1024));
    } catch {
      // ENOSPC: the disk is full now.
    }
    await waitFor(
      () =>
        readLog(home).includes('database or disk is full') ||
        /no space left/i.test(readLog(home)) ||
        job(home)?.note !== null,
    ).toBe(true);
    expect(child.exitCode).toBeNull();
    rmSync(ballast);
    // The job would wait half a minute for space.
    await expect
      .poll(
        () => {
          const { state = null, notBeforeAtMs = null } = job(home) ?? {};
          if (state === 'queued' && notBeforeAtMs !== null) endWaits(home);
          return state;
        },
        { timeout: 150_000, interval: 250 },
      )
      .toBe('done');
    expect(job(home)).toMatchObject({ framesTotal: 120 });
    expect(frameMd5(join(home, 'output/clip.mp4'))).toHaveLength(120);
  },
);
