import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { expect } from 'vitest';
import type { FailPoint } from '../../src/lib/fail-point.ts';
import type { Job } from '../../src/domain/job.ts';
import { openQueue } from '../../src/queue/queue.ts';
import { frameMd5, makeClip } from './clips.ts';
import { failPointFolder, type FailPointFolder } from './fail-points.ts';
import { makeHome, processesOf, readLog, start, type Running } from './framekiln.ts';
import { temporaryFolder } from './temporary-folder.ts';

const QUICK =
  'intake: { settleSeconds: 0.2, rescanSeconds: 1 }\nbatch: { firstFrames: 10, frames: 20 }\nworkspace: { memoryFraction: 0.05 }\n';

/** A daemon at work on a clip, to which something bad happens. */
export class Patient {
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

  batches(): number {
    const queue = openQueue(this.database);
    try {
      return queue.batches.listBatches(1).length;
    } finally {
      queue.close();
    }
  }

  /** Pids of the worker processes. */
  workers(): number[] {
    return processesOf(this.home).filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('worker/entry.js');
      } catch {
        return false; // It ended between the two looks.
      }
    });
  }

  /** Age is simulated: what waits has waited. */
  backdate(): void {
    const db = new SqliteDatabase(this.database, { timeout: 10_000 });
    db.exec(`UPDATE jobs SET not_before_at_ms = 1 WHERE state = 'queued'`);
    db.close();
  }

  /** Lets every process go on that was stopped. */
  wake(): void {
    process.kill(-(this.running.child.pid ?? 0), 'SIGCONT');
  }

  async until(look: () => unknown, ms = 60_000): Promise<void> {
    await expect.poll(() => Boolean(look()), { timeout: ms, interval: 100 }).toBe(true);
  }

  says(pattern: RegExp): boolean {
    return pattern.test(readLog(this.home));
  }

  /** Waits for the end, which must be good: a whole file, and no try used up but `tries`. @returns seconds it took */
  async isDone(ms = 90_000): Promise<number> {
    const asked = performance.now();
    await this.until(() => this.job()?.state === 'done', ms);
    expect(frameMd5(this.output)).toHaveLength(this.frames);
    return (performance.now() - asked) / 1000;
  }

  /** The lines of the log that tell what was wrong, without their time. */
  complaints(): string[] {
    return readLog(this.home)
      .split('\n')
      .filter((line) => / (ERROR|WARN) /.test(line))
      .map((line) => line.replace(/^\S+ \S+ /, ''));
  }
}

/**
 * A PATH with an ffmpeg in front of the real one that behaves badly, once: the first call whose arguments contain
 * `when` runs `instead`, a piece of shell in which "$real" is the real one.
 */
export function badFfmpeg(folder: string, when: string, instead: string): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  const real = execFileSync('sh', ['-c', 'command -v ffmpeg'], { encoding: 'utf8' }).trim();
  writeFileSync(
    join(bin, 'ffmpeg'),
    `#!/bin/sh
real=${real}
case " $* " in *${when.replaceAll(' ', '\\ ')}*) if mkdir ${join(folder, 'was-bad')} 2>/dev/null; then ${instead}; fi;; esac
exec "$real" "$@"
`,
  );
  chmodSync(join(bin, 'ffmpeg'), 0o755);
  return `${bin}${delimiter}${process.env['PATH'] ?? ''}`;
}
