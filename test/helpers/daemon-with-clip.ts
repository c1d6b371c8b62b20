import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { FailPoint } from '../../src/lib/fail-point.ts';
import type { Job } from '../../src/domain/job.ts';
import { openQueue } from '../../src/queue/queue.ts';
import { frameMd5, makeClip } from './clips.ts';
import { endWaits } from './end-waits.ts';
import { failPointFolder, type FailPointFolder } from './fail-points.ts';
import { makeHome, processesOf, readLog, start, type Running } from './framekiln.ts';
import { temporaryFolder } from './temporary-folder.ts';

const QUICK =
  'intake: { settleSeconds: 0.2, rescanSeconds: 1 }\nbatch: { firstFrames: 10, frames: 20 }\nworkspace: { memoryFraction: 0.05 }\n';

/** A daemon that processes one clip while a test injects a fault. */
export class DaemonWithClip {
  readonly home: string;
  readonly points: FailPointFolder;
  readonly frames: number;
  running: Running;

  constructor({
    frames = 90,
    settings = '',
    path = '',
    root = temporaryFolder(),
    armed = [] as readonly `${FailPoint} ${string}`[],
    environment = {},
  } = {}) {
    this.frames = frames;
    this.home = makeHome(root, QUICK + settings);
    this.points = failPointFolder(join(temporaryFolder(), 'points'));
    this.points.arm(...armed);
    makeClip(join(this.home, 'input/lanczos-2x/clip.mp4'), { frames });
    this.running = start(['start', '--home', this.home], {
      ...this.points.environment,
      ...environment,
      ...(path === '' ? {} : { PATH: path }),
    });
  }

  get database(): string {
    return join(this.home, '.framekiln/framekiln.db');
  }

  get output(): string {
    return join(this.home, 'output/lanczos-2x/clip.mp4');
  }

  job(id = 1): Job | null {
    if (!existsSync(this.database)) return null;
    const queue = openQueue(this.database);
    try {
      return queue.jobs.getJob(id);
    } finally {
      queue.close();
    }
  }

  /** Number of committed batches of job 1. */
  batchCount(): number {
    const queue = openQueue(this.database);
    try {
      return queue.batches.listBatches(1).length;
    } finally {
      queue.close();
    }
  }

  /** Pids of the worker processes. */
  workerPids(): number[] {
    return processesOf(this.home).filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('worker/entry.js');
      } catch {
        return false; // The process has ended meanwhile.
      }
    });
  }

  /** Makes queued jobs due now, instead of waiting until they are. */
  endWaits(): void {
    endWaits(this.home);
  }

  /** Sends SIGCONT to the processes of the daemon, which a fail point has stopped. */
  resumeProcesses(): void {
    process.kill(-(this.running.child.pid ?? 0), 'SIGCONT');
  }

  /** Waits until `condition` returns something truthy. */
  async waitFor(condition: () => unknown, ms = 60_000): Promise<void> {
    await expect.poll(() => Boolean(condition()), { timeout: ms, interval: 50 }).toBe(true);
  }

  hasLogged(pattern: RegExp): boolean {
    return pattern.test(readLog(this.home));
  }

  /** Waits until the job is done, and expects a complete file. @returns the seconds that took */
  async completes(ms = 90_000): Promise<number> {
    const startedAt = performance.now();
    await this.waitFor(() => this.job()?.state === 'done', ms);
    expect(frameMd5(this.output)).toHaveLength(this.frames);
    return (performance.now() - startedAt) / 1000;
  }

  /** Warnings and errors of the log, without their times. */
  warnings(): string[] {
    return readLog(this.home)
      .split('\n')
      .filter((line) => / (ERROR|WARN) /.test(line))
      .map((line) => line.replace(/^\S+ \S+ /, ''));
  }
}
