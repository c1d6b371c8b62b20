import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { seededRandom } from '../../src/lib/seeded-random.ts';
import { openQueue } from '../../src/queue/queue.ts';
import { frameMd5, makeClip } from '../helpers/clips.ts';
import { filesBelow, makeHome, processesOf, readLog, start } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/*
 * Many small jobs, and every half minute a kill of the worker, of an ffmpeg or of the whole process group. At the end
 * the daemon holds no more memory, descriptors and files than at the start.
 */
const JOBS = Number(process.env['FRAMEKILN_SOAK_JOBS'] ?? 200);
const KILL_EVERY_MS = 30_000;
const seed = Number(process.env['FRAMEKILN_TEST_SEED'] ?? Date.now() % 1_000_000);

interface Holdings {
  readonly daemonMB: number;
  readonly daemonFds: number;
  readonly walKB: number;
  /** Size of the files in the folders of jobs, RAM disks and frames. */
  readonly temporaryKB: number;
}

test(`${JOBS} jobs with a kill every half minute: memory, descriptors and files do not grow`, async () => {
  const random = seededRandom(seed);
  const home = makeHome(temporaryFolder());
  for (let i = 0; i < JOBS; i++)
    makeClip(join(home, `input/lanczos-2x/clip-${i}.mp4`), { frames: 10 + (i % 7), filter: `hue=h=${i}` });
  const begin = () => start(['start', '--home', home]);
  let daemon = begin();
  const startedAtMs = Date.now();
  const kills = { worker: 0, ffmpeg: 0, everything: 0 };
  let first: Holdings | null = null;
  let killAtMs = Date.now() + KILL_EVERY_MS;
  const table: string[] = [];
  for (;;) {
    await delay(500);
    const done = doneCount(home);
    if (first === null && done >= 5) {
      first = holdings(home, daemon.child.pid ?? 0);
      table.push(describe(done, first));
    }
    if (done === JOBS) break;
    expect(Date.now() - startedAtMs, `${done} jobs done, seed ${seed}`).toBeLessThan(JOBS * 60_000);
    if (Date.now() < killAtMs) continue;
    killAtMs = Date.now() + KILL_EVERY_MS;
    table.push(describe(done, holdings(home, daemon.child.pid ?? 0)));
    const kind =
      (['worker', 'ffmpeg', 'worker', 'ffmpeg', 'everything'] as const)[Math.floor(random() * 5)] ?? 'worker';
    kills[kind]++;
    if (kind === 'everything') {
      await daemon.killGroup();
      daemon = begin();
    } else {
      const name = kind === 'worker' ? 'worker/entry.js' : 'ffmpeg\0';
      const victim = processesOf(home).find((pid) => commandOf(pid).includes(name));
      if (victim !== undefined) process.kill(victim, 'SIGKILL');
    }
  }
  // What the last job leaves is removed when its worker exits.
  await expect.poll(() => processesOf(home).length, { timeout: 20_000 }).toBe(1);
  const last = holdings(home, daemon.child.pid ?? 0);
  const minutes = ((Date.now() - startedAtMs) / 60_000).toFixed(1);
  console.log(
    [
      '| jobs done | daemon MB | daemon descriptors | WAL KB | temporary KB |',
      '| --- | --- | --- | --- | --- |',
      ...table,
      describe(JOBS, last),
      `${JOBS} jobs in ${minutes} min, killed: ${JSON.stringify(kills)}, seed ${seed}`,
    ].join('\n'),
  );
  daemon.child.kill('SIGTERM');
  expect(await daemon.ended).toBe(0);
  for (let i = 0; i < JOBS; i += 10)
    expect(frameMd5(join(home, `output/lanczos-2x/clip-${i}.mp4`))).toHaveLength(10 + (i % 7));
  if (first === null) throw new Error('Fewer than five jobs were done.');
  expect(last.daemonMB).toBeLessThan(first.daemonMB * 1.5);
  expect(last.daemonFds).toBeLessThanOrEqual(first.daemonFds + 2);
  expect(last.walKB).toBeLessThan(5_000);
  expect(last.temporaryKB).toBe(0);
  expect(readLog(home)).not.toMatch(/failed permanently/);
});

function doneCount(home: string): number {
  const path = join(home, '.framekiln/framekiln.db');
  if (!existsSync(path)) return 0;
  const queue = openQueue(path);
  try {
    return queue.jobs.countByState().done;
  } finally {
    queue.close();
  }
}

function holdings(home: string, pid: number): Holdings {
  const state = join(home, '.framekiln');
  const wal = join(state, 'framekiln.db-wal');
  const temporary = filesBelow(state)
    .filter((path) => /^(jobs|ram|frames)\//.test(path))
    .reduce((sum, path) => sum + sizeOf(join(state, path)), 0);
  return {
    daemonMB: Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024,
    daemonFds: readdirSync(`/proc/${pid}/fd`).length,
    walKB: sizeOf(wal) / 1024,
    temporaryKB: temporary / 1024,
  };
}

function describe(jobs: number, { daemonMB, daemonFds, walKB, temporaryKB }: Holdings): string {
  return `| ${jobs} | ${daemonMB.toFixed(0)} | ${daemonFds} | ${walKB.toFixed(0)} | ${temporaryKB.toFixed(0)} |`;
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0; // Removed meanwhile.
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
