import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Job } from '../../src/domain/job.ts';
import { openQueue } from '../../src/queue/queue.ts';
import { frameMd5, makeClip } from '../helpers/clips.ts';
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

/** A home with a clip that takes a few seconds, and a daemon at work on it. */
function atWork(frames = 240) {
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

/** Committed batches of job 1: rows, not frames that are still on their way through the encoder. */
function batches(home: string): number {
  if (!existsSync(join(home, '.framekiln/framekiln.db'))) return 0;
  const queue = openQueue(join(home, '.framekiln/framekiln.db'));
  try {
    return queue.batches.listBatches(1).length;
  } finally {
    queue.close();
  }
}

const until = <T>(look: () => T) => expect.poll(look, { timeout: 60_000, interval: 50 });

/** RAM disks and their mounts. */
function ramDisks(home: string): string[] {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .filter((line) => line.includes(home));
  return [...mounts, ...['ram', 'frames'].flatMap((kind) => filesBelow(join(home, '.framekiln', kind)))];
}

/** Pids of the ffmpegs and the worker that serve this home. */
function childrenOf(pid: number): { pid: number; command: string }[] {
  const all = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' }).trim().split('\n');
  const rows = all.map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []);
  const direct = rows.filter(([, , parent]) => Number(parent) === pid);
  return direct.flatMap(([, child = '0', , command = '']) => [
    { pid: Number(child), command },
    ...childrenOf(Number(child)),
  ]);
}

test('a clean stop takes at most 1.5 s, leaves nothing running and nothing in memory, and uses no try', async () => {
  const { home, running } = atWork();
  await until(() => batches(home)).toBeGreaterThan(0);
  const asked = performance.now();
  running.child.kill('SIGTERM');
  expect(await running.ended).toBe(0);
  expect(performance.now() - asked).toBeLessThan(1500);
  expect(processesOf(home)).toEqual([]);
  expect(ramDisks(home)).toEqual([]);
  expect(job(home)).toMatchObject({ state: 'queued', attempts: 0 });
  expect(batches(home)).toBeGreaterThan(0);
});

test('a worker that is killed is brought back, and no committed frame is lost', async () => {
  const { home, running } = atWork();
  await until(() => batches(home)).toBeGreaterThan(1);
  const before = batches(home);
  const worker = childrenOf(running.child.pid ?? 0).find(({ command }) =>
    command.includes('worker/entry.js'),
  );
  process.kill(worker?.pid ?? 0, 'SIGKILL');
  await until(() => job(home)?.state).toBe('done');
  expect(readLog(home)).toMatch(/the worker died \(signal SIGKILL\)/);
  // Batches of 10, 20, 20 … frames; up to two more may have been committed before the kill.
  expect([0, 1, 2].map((more) => 20 * (before + more) - 10)).toContain(resumedFrames(readLog(home)));
  expect(frameMd5(join(home, 'output/clip.mp4'))).toHaveLength(240);
});

test('an ffmpeg that is killed costs one try, and the job is done all the same', async () => {
  const { home, running } = atWork();
  await until(() => batches(home)).toBeGreaterThan(0);
  await until(() => {
    const encoder = childrenOf(running.child.pid ?? 0).find(({ command }) => command.includes('libx264'));
    if (encoder === undefined) return false;
    process.kill(encoder.pid, 'SIGKILL');
    return true;
  }).toBe(true);
  await until(() => job(home)?.state).toBe('done');
  expect(readLog(home)).toMatch(
    /attempt failed: ffmpeg failed \(signal SIGKILL\) while encoding with libx264/,
  );
  expect(frameMd5(join(home, 'output/clip.mp4'))).toHaveLength(240);
});

test('pause, resume and cancel', async () => {
  const { home } = atWork();
  await until(() => batches(home)).toBeGreaterThan(0);
  expect(run(['pause', '1', '--home', home])).toMatchObject({ status: 0 });
  expect(job(home)).toMatchObject({ state: 'paused', attempts: 0 });
  await until(() => ramDisks(home)).toEqual([]);
  const kept = batches(home);
  expect(kept).toBeGreaterThan(0);
  expect(run(['resume', '1', '--home', home]).status).toBe(0);
  await until(() => batches(home)).toBeGreaterThan(kept);
  expect(run(['cancel', '1', '--home', home]).status).toBe(0);
  await until(() => [...ramDisks(home), ...filesBelow(join(home, '.framekiln/jobs'))]).toEqual([]);
  expect(job(home)?.state).toBe('cancelled');
  expect(readdirSync(join(home, 'output'))).toEqual([]);
});

test('a second daemon on the same home ends with a message; the lock dies with the first', async () => {
  const { home, running } = atWork();
  await until(() => job(home)?.state).toBe('running');
  const second = run(['start', '--home', home]);
  expect(second.status).toBe(4);
  expect(second.stdout + second.stderr).toMatch(/another daemon is at work on/);
  await running.killGroup();
  expect(run(['start', '--once', '--home', home]).status).toBe(0);
});

test('a damaged segment is taken back and only its frames are done again', async () => {
  const { home, running } = atWork();
  await until(() => batches(home)).toBeGreaterThan(3);
  await running.killGroup();
  const segments = join(home, '.framekiln/jobs/1/segments');
  const [first = ''] = readdirSync(segments).filter((name) => name.startsWith('b0001.'));
  const bytes = readFileSync(join(segments, first));
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 0xff;
  writeFileSync(join(segments, first), bytes);
  expect(run(['start', '--once', '--home', home]).status).toBe(0);
  expect(readLog(home)).toMatch(/segment of batch 1 is missing or damaged; processing its 20 frames again/);
  expect(frameMd5(join(home, 'output/clip.mp4'))).toHaveLength(240);
});

test('a source that is deleted or replaced in mid-job sets the job aside with the reason', async () => {
  const { home, running } = atWork();
  await until(() => batches(home)).toBeGreaterThan(0);
  await running.killGroup();
  rmSync(join(home, 'input/clip.mp4'));
  run(['start', '--once', '--home', home]);
  expect(job(home)).toMatchObject({ state: 'failed', errorCode: 'SOURCE_MISSING' });
  makeClip(join(home, 'input/clip.mp4'), { frames: 30 });
  expect(run(['start', '--once', '--home', home]).status).toBe(0);
  expect(job(home, 2)).toMatchObject({ state: 'done', framesTotal: 30 });
});

test('a poison job is set aside after its tries, and the next one is done', () => {
  // A model that is none: every try fails in the engine.
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

test('a finished video never replaces its source, and never lands in the input folder', () => {
  const home = makeHome(temporaryFolder());
  const clip = makeClip(join(home, 'clip.mp4'), { frames: 10 });
  const before = readFileSync(clip);
  const over = run(['run', clip, '--model', 'lanczos', '--output', home, '--home', home]);
  expect(over.status).toBe(2);
  expect(over.stderr).toMatch(/would replace its source/);
  const into = run(['run', clip, '--model', 'lanczos', '--output', join(home, 'input'), '--home', home]);
  expect(into.stderr).toMatch(/would be put into the input folder/);
  expect(readFileSync(clip).equals(before)).toBe(true);
});

test('once ends with 0 only when everything in the folder is done: a paused job is not', async () => {
  const { home, running } = atWork();
  await until(() => job(home)?.state).toBe('running');
  expect(run(['pause', '1', '--home', home]).status).toBe(0);
  running.child.kill('SIGTERM');
  await running.ended;
  expect(run(['start', '--once', '--home', home]).status).toBe(1);
});

test('a full disk loses nothing and ends nothing: the job waits, and goes on when there is space', async ({
  skip,
}) => {
  const root = temporaryFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'framekiln-test', root], { stdio: 'ignore' });
  } catch {
    skip('mounting a small file system is not permitted here');
  }
  onTestFinished(() => void execFileSync('umount', ['--lazy', root]));
  const home = makeHome(root);
  makeClip(join(home, 'input/clip.mp4'), { frames: 240 });
  const { child } = start(['start', '--home', home]);
  await until(() => batches(home)).toBeGreaterThan(0);
  const ballast = join(root, 'ballast');
  try {
    writeFileSync(ballast, Buffer.alloc(24 * 1024 * 1024));
  } catch {
    // As much as there was room for.
  }
  await until(
    () =>
      readLog(home).includes('database or disk is full') ||
      readLog(home).includes('no space left') ||
      job(home)?.note !== null,
  ).toBe(true);
  expect(child.exitCode).toBeNull();
  rmSync(ballast);
  // Half a minute of it is the wait for space.
  await expect.poll(() => job(home)?.state, { timeout: 150_000, interval: 250 }).toBe('done');
  expect(job(home)).toMatchObject({ framesTotal: 240 });
  expect(frameMd5(join(home, 'output/clip.mp4'))).toHaveLength(240);
});
