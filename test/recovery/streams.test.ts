import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { likeness, makeClip } from '../helpers/clips.ts';
import { fakeMachine, RTX_4090, type FakeMachine } from '../helpers/fake-machine.ts';
import { makeHome, processesOf, readLog, run, start } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const CLIPS = ['a', 'b', 'c', 'd'];
const FILTERS = ['null', 'hflip', 'vflip', 'negate'];
const FRAMES = 60;
/** dB. A frame has 31 or more of its own source, 28 of the frame before it, 13 of another clip's (measured). */
const LIKE = 29;

/** Four clips of different contents: equal ones would be one job. */
function homeWithFourClips(frames = FRAMES): string {
  const home = makeHome(temporaryFolder());
  for (const [i, name] of CLIPS.entries())
    makeClip(join(home, `input/lanczos-2x/${name}.mp4`), { frames, filter: FILTERS[i] ?? 'null' });
  return home;
}

function expectAllDone(home: string): void {
  for (const name of CLIPS) {
    const frames = likeness(
      join(home, `output/lanczos-2x/${name}.mp4`),
      join(home, `input/lanczos-2x/${name}.mp4`),
    );
    expect(frames).toHaveLength(FRAMES);
    expect([name, Math.min(...frames) > LIKE]).toEqual([name, true]);
  }
}

function count(gpu: FakeMachine, event: string, use?: string): number {
  return gpu.events().filter((each) => each.event === event && (use === undefined || each.use === use))
    .length;
}

test('four jobs at once take turns on two sessions: never more are open, all are given back, all jobs are done', () => {
  const home = homeWithFourClips();
  const gpu = fakeMachine(temporaryFolder(), { gpu: RTX_4090, nvenc: 2, nvdec: 4 });
  const { status } = run(['start', '--once', '--home', home, '--set', 'streams.max=4'], { PATH: gpu.path });
  expect(status).toBe(0);
  expectAllDone(home);
  const inJobs = gpu.events().filter(({ use }) => use === 'segment');
  expect(inJobs.filter(({ event }) => event === 'reject')).toEqual([]);
  expect(count(gpu, 'open', 'segment')).toBe(CLIPS.length * 4); // Batches of 10 and 20 frames: four for each clip.
  expect(count(gpu, 'open')).toBe(count(gpu, 'close'));
  expect(Math.max(...inJobs.map(({ open }) => open))).toBe(2);
  expect(readFileSync(join(home, '.framekiln/detected.yaml'), 'utf8')).toMatch(/sessions: 2 #/);
  // The last job's line has all of the worker's: segments, and a trial for each job.
  const told = /NVENC sessions so far: (\d+) opened, (\d+) closed, 0 failed; 0 segments encoded in software/g;
  const [opened, closed] = [...readLog(home).matchAll(told)].at(-1)?.slice(1) ?? [];
  expect(Number(opened)).toBeGreaterThanOrEqual(CLIPS.length * 4);
  expect(opened).toBe(closed);
});

test('sessions that another program takes away are done in software, and every job is done all the same', () => {
  const home = homeWithFourClips();
  const gpu = fakeMachine(temporaryFolder(), { gpu: RTX_4090, nvenc: 2, nvdec: 4 });
  expect(run(['doctor', '--home', home], { PATH: gpu.path }).status).toBe(0); // The probe counts two.
  gpu.takeByOthers(1);
  const { status } = run(['start', '--once', '--home', home, '--set', 'streams.max=4'], { PATH: gpu.path });
  expect(status).toBe(0);
  expectAllDone(home);
  expect(count(gpu, 'open')).toBe(count(gpu, 'close'));
  expect(count(gpu, 'reject', 'segment') + count(gpu, 'reject', 'trial')).toBeGreaterThan(0);
  expect(readLog(home)).toMatch(/encoder: libx264, because h264_nvenc .*\(all NVENC sessions are taken/);
});

test('a worker that dies with several jobs in work charges none of them, and finds out alone which one it was', async () => {
  const home = homeWithFourClips(300);
  const daemon = start(['start', '--once', '--home', home, '--set', 'streams.max=4']);
  await expect.poll(() => readLog(home).match(/first estimate/g)?.length ?? 0, { timeout: 60_000 }).toBe(4);
  const worker = processesOf(home).find((pid) => pid !== daemon.child.pid && /worker/.test(commandOf(pid)));
  process.kill(worker ?? 0, 'SIGKILL');
  expect(await daemon.ended).toBe(0);
  expect(readLog(home)).toMatch(/the worker died \(signal SIGKILL\)/);
  const { jobs } = JSON.parse(run(['status', '--json', '--home', home]).stdout) as {
    jobs: { state: string; history: unknown[] }[];
  };
  expect(jobs).toMatchObject(CLIPS.map(() => ({ state: 'done', history: [] })));
  // One lane at a time after the crash: no job begins before another is done.
  const after = readLog(home).split('the worker died')[1] ?? '';
  const events = [...after.matchAll(/\[(\w)\.mp4\] (resuming from|done in)/g)].map(
    ([, name, what]) => `${name ?? ''} ${what ?? ''}`,
  );
  expect(events).toEqual(events.toSorted((x, y) => x.slice(0, 1).localeCompare(y.slice(0, 1))));
  expect(after).not.toMatch(/failed permanently/);
});

function commandOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
}
