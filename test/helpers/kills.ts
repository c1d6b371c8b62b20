import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import SqliteDatabase from 'better-sqlite3';
import type { FailPoint } from '../../src/lib/fail-point.ts';
import { processesOf, run } from './framekiln.ts';
import type { InterruptedJob } from './interrupted-job.ts';

/** One way to interrupt a job; the daemon may or may not run before and after. */
export interface Kill {
  readonly kind: string;
  readonly at?: FailPoint;
  readonly inflict: (job: InterruptedJob, random: () => number) => Promise<void>;
}

/** Kills the whole process group at a random instant in the first two seconds. */
export const killGroupAtRandom: Kill = {
  kind: 'group',
  async inflict(job, random) {
    const running = job.daemon();
    await Promise.race([running.ended, delay(50 + random() * 2000)]);
    await job.killAll();
  },
};

/** Kills the whole process group while a new daemon recovers from the previous kill. */
export const killDuringRecovery: Kill = {
  kind: 'during recovery',
  async inflict(job, random) {
    const running = await job.restart();
    await Promise.race([running.ended, delay(150 + random() * 700)]);
    await job.killAll();
  },
};

/** Kills the whole process group and wipes the RAM disk, as a power cut does. */
export const killGroupAndWipeRamDisk: Kill = {
  kind: 'RAM disk wiped',
  async inflict(job, random) {
    const running = job.daemon();
    await Promise.race([running.ended, delay(600 + random() * 1800)]);
    await job.killAll();
    job.wipeRamDisk();
  },
};

/** Kills the daemon alone; its worker and its ffmpeg processes must then end by themselves. */
export const killDaemon: Kill = {
  kind: 'daemon alone',
  async inflict(job, random) {
    const running = job.daemon();
    await Promise.race([running.ended, delay(300 + random() * 2000)]);
    running.child.kill('SIGKILL');
    await running.ended;
    await job.waitFor('the end of the orphaned processes', () => processesOf(job.home).length === 0, 5_000);
    await job.killAll();
  },
};

/** Kills one process while the others keep running; the daemon must recover from that. */
function killOneProcess(kind: string, is: (command: string) => boolean): Kill {
  return {
    kind,
    async inflict(job, random) {
      job.daemon();
      await delay(random() * 500);
      let pid: number | undefined;
      const found = await job.waitFor(`a ${kind} to kill`, () => {
        pid = processesOf(job.home).find((each) => is(commandOf(each)));
        return pid !== undefined || job.isDone;
      });
      if (!found || pid === undefined) return;
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        return; // The process has ended meanwhile.
      }
      job.noteKilledProcess();
      await job.progress();
      // After an ffmpeg process is killed, frames of other batches follow at once; they do not show a recovery.
      if (kind.startsWith('worker')) job.noteRecovery();
      job.check();
    },
  };
}

export const killWorker = killOneProcess('worker alone', (command) => command.includes('worker/entry.js'));
export const killFfmpeg = killOneProcess('ffmpeg alone', (command) => /^\S*ffmpeg\0/.test(command));

/** Fail points at which a worker is stopped while another one claims its job. */
export const STOP_POINTS: readonly FailPoint[] = [
  'decoded-frames.before-write',
  'transformed-frame.before-write',
  'segment.before-encoding',
  'segment.closed',
  'segment.before-datasync',
  'segment.before-rename',
  'segment.published',
  'commit-batch.before-begin',
  'frames.before-drop',
  'output.before-rename',
];

/** Stops a worker, lets another one claim its job, and continues the first, which must change nothing. */
export function stopAndContinue(at: FailPoint): Kill {
  return {
    kind: 'stop and continue',
    at,
    async inflict(job) {
      await job.killIfRunning();
      job.points.arm(`${at} 1 stop`);
      const first = job.start();
      if (!(await job.waitFor(`a stop at ${at}`, () => job.points.hasFired(at) || job.isDone))) return;
      job.points.arm();
      const stopped = processesOf(job.home).find((pid) => commandOf(pid).includes('worker/entry.js'));
      first.child.kill('SIGKILL');
      await first.ended;
      job.kills++;
      job.start();
      await delay(300);
      // Expires the lease of the stopped worker.
      const db = new SqliteDatabase(join(job.home, '.framekiln/framekiln.db'), { timeout: 10_000 });
      db.prepare(
        `UPDATE jobs SET lease_expires_at_ms = 1 WHERE state = 'running' AND lease_owner LIKE ?`,
      ).run(`${stopped ?? 0}:%`);
      db.close();
      await job.progress();
      if (stopped !== undefined) {
        job.continuedAtMs.push(Date.now());
        process.kill(stopped, 'SIGCONT');
        await job.waitFor('the end of the worker that was continued', () => !isAlive(stopped), 10_000);
      }
      await job.progress();
      job.check();
    },
  };
}

/** Kills the whole process group at a fail point. `others` fail first, so that the point is reached. */
export function killGroupAt(at: FailPoint, others: readonly FailPoint[] = []): Kill {
  return {
    kind: 'fail point',
    at,
    async inflict(job) {
      await job.killIfRunning();
      if (at.startsWith('remove-batch')) damageFirstSegment(job);
      const lines = others.map((name) => `${name} 1 EIO` as const);
      job.points.arm(...lines, `${at} 1 kill-group`);
      const running = job.start();
      await Promise.race([running.ended, delay(90_000)]);
      await job.killAll();
    },
  };
}

/** Kills the whole process group while the daemon carries out a command. */
export function killGroupAtCommand(at: FailPoint, command: 'cancel' | 'retry'): Kill {
  return {
    kind: 'fail point',
    at,
    async inflict(job) {
      const first = await job.restart();
      await job.progress();
      await first.killGroup();
      if (command === 'retry') request(job, 'cancel');
      job.extraFrames += job.inferred().length;
      if (command === 'retry') await (await job.restart()).ended;
      request(job, command);
      job.points.arm(`${at} 1 kill-group`);
      await Promise.race([job.start().ended, delay(20_000)]);
      await job.killAll();
      // In the end the clip must be finished.
      job.points.arm();
      if (command === 'cancel') await job.start().ended;
      request(job, 'retry');
    },
  };
}

/** Kills the whole process group while the daemon pauses the queue, and resumes the queue afterwards. */
export function killGroupAtPause(at: FailPoint): Kill {
  return {
    kind: 'fail point',
    at,
    async inflict(job) {
      await job.killIfRunning();
      run(['pause', '--home', job.home]);
      job.points.arm(`${at} 1 kill-group`);
      await Promise.race([job.start().ended, delay(20_000)]);
      await job.killAll();
      job.points.arm();
      run(['resume', '--home', job.home]);
    },
  };
}

/** Sends a command; without a daemon it waits in the database. */
function request(job: InterruptedJob, command: 'cancel' | 'retry'): void {
  run([command, '1', '--home', job.home]);
}

/** Kills a CLI command; whether its request was recorded depends on the instant. */
export function killCommandAt(at: FailPoint): Kill {
  return {
    kind: 'fail point',
    at,
    inflict(job) {
      job.points.arm(`${at} 1 kill`);
      run(
        at.startsWith('other-file')
          ? ['doctor', '--home', job.home]
          : ['prioritise', '1', '5', '--home', job.home],
        job.points.environment,
      );
      job.kills++;
      job.check();
      return Promise.resolve();
    },
  };
}

/** Kills the whole process group while frames go to the disk, because the test has shrunk the RAM disk. */
export function killGroupAtSpill(at: FailPoint): Kill {
  return {
    kind: 'fail point',
    at,
    async inflict(job) {
      await job.killIfRunning();
      job.wipeRamDisk();
      job.points.arm('ram-disk.stamped 1 stop', `${at} 1 kill-group`);
      const running = job.start();
      await job.waitFor('the RAM disk', () => job.points.hasFired('ram-disk.stamped'));
      const ram = join(job.home, '.framekiln/ram');
      execFileSync('mount', ['-o', 'remount,size=64k', join(ram, readdirSync(ram)[0] ?? '')]);
      process.kill(-(running.child.pid ?? 0), 'SIGCONT');
      await Promise.race([running.ended, delay(60_000)]);
      await job.killAll();
    },
  };
}

function damageFirstSegment(job: InterruptedJob): void {
  const segments = join(job.home, '.framekiln/jobs/1/segments');
  const [first = ''] = readdirSync(segments).filter((name) => !name.endsWith('.tmp'));
  writeFileSync(join(segments, first), 'x');
  job.damaged.add(first);
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

function isAlive(pid: number): boolean {
  return commandOf(pid) !== '';
}
