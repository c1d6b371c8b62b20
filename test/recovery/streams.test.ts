import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { framePsnr, makeClip } from '../helpers/clips.ts';
import { fakeMachine, RTX_4090, type FakeMachine } from '../helpers/fake-machine.ts';
import { makeHome, processesOf, readLog, run, start } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const CLIPS = ['a', 'b', 'c', 'd'];
const FILTERS = ['null', 'hflip', 'vflip', 'negate'];
const FRAMES = 60;
/** PSNR in dB. Measured: at least 31 against the frame of the source, 28 against the frame before it, 13 against another clip. */
const MIN_PSNR = 29;

/** Four clips of different content; clips of equal content would be one job. */
function homeWithFourClips(frames = FRAMES): string {
  const home = makeHome(temporaryFolder());
  for (const [i, name] of CLIPS.entries())
    makeClip(join(home, `input/lanczos-2x/${name}.mp4`), { frames, filter: FILTERS[i] ?? 'null' });
  return home;
}

function expectAllDone(home: string): void {
  for (const name of CLIPS) {
    const frames = framePsnr(
      join(home, `output/lanczos-2x/${name}.mp4`),
      join(home, `input/lanczos-2x/${name}.mp4`),
    );
    expect(frames).toHaveLength(FRAMES);
    expect([name, Math.min(...frames) > MIN_PSNR]).toEqual([name, true]);
  }
}

function count(gpu: FakeMachine, event: string, use?: string): number {
  return gpu.events().filter((each) => each.event === event && (use === undefined || each.use === use))
    .length;
}

test(
  'four concurrent jobs share two NVENC sessions: never more are open, and all are closed in the end',
  { tags: ['slow'] },
  () => {
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
    // The line of the last job counts all sessions of the worker: those of segments, and a trial for each job.
    const sessions =
      /NVENC sessions so far: (\d+) opened, (\d+) closed, 0 failed; fell back to the CPU 0 times/g;
    const [opened, closed] = [...readLog(home).matchAll(sessions)].at(-1)?.slice(1) ?? [];
    expect(Number(opened)).toBeGreaterThanOrEqual(CLIPS.length * 4);
    expect(opened).toBe(closed);
  },
);

test(
  'when another program takes a session, segments are encoded on the CPU and every job completes',
  { tags: ['slow'] },
  () => {
    const home = homeWithFourClips();
    const gpu = fakeMachine(temporaryFolder(), { gpu: RTX_4090, nvenc: 2, nvdec: 4 });
    expect(run(['doctor', '--home', home], { PATH: gpu.path }).status).toBe(0); // The probe finds two sessions.
    gpu.setTakenByOthers(1);
    const { status } = run(['start', '--once', '--home', home, '--set', 'streams.max=4'], { PATH: gpu.path });
    expect(status).toBe(0);
    expectAllDone(home);
    expect(count(gpu, 'open')).toBe(count(gpu, 'close'));
    expect(count(gpu, 'reject', 'segment') + count(gpu, 'reject', 'trial')).toBeGreaterThan(0);
    expect(readLog(home)).toMatch(/encoding on the CPU with libx264: .*all NVENC sessions are in use/);
  },
);

test(
  'when a worker is killed with several jobs running none uses an attempt, and they run one at a time afterwards',
  { tags: ['slow'] },
  async () => {
    const home = homeWithFourClips(300);
    const daemon = start(['start', '--once', '--home', home, '--set', 'streams.max=4']);
    await expect.poll(() => readLog(home).match(/first estimate/g)?.length ?? 0, { timeout: 60_000 }).toBe(4);
    const worker = processesOf(home).find((pid) => pid !== daemon.child.pid && /worker/.test(commandOf(pid)));
    process.kill(worker ?? 0, 'SIGKILL');
    expect(await daemon.ended).toBe(0);
    expect(readLog(home)).toMatch(/worker crashed \(signal SIGKILL\)/);
    const { jobs } = JSON.parse(run(['status', '--json', '--home', home]).stdout) as {
      jobs: { state: string; history: unknown[] }[];
    };
    expect(jobs).toMatchObject(CLIPS.map(() => ({ state: 'done', history: [] })));
    // After the crash no job starts before another is done.
    const after = readLog(home).split('worker crashed')[1] ?? '';
    const events = [...after.matchAll(/\[(\w)\.mp4\] (resuming from|done in)/g)].map(
      ([, name, what]) => `${name ?? ''} ${what ?? ''}`,
    );
    expect(events).toEqual(events.toSorted((x, y) => x.slice(0, 1).localeCompare(y.slice(0, 1))));
    expect(after).not.toMatch(/failed permanently/);
  },
);

function commandOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
}
