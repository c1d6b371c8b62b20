import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import SqliteDatabase from 'better-sqlite3';
import type { FailPoint } from '../../src/lib/fail-point.ts';
import { processesOf, run } from './framekiln.ts';
import type { Life } from './kill-standard.ts';

/** One way to disturb a life; the daemon may or may not run before and after it. */
export interface Kill {
  readonly kind: string;
  readonly at?: FailPoint;
  readonly strike: (life: Life, random: () => number) => Promise<void>;
}

/** Everything at once, at an instant between a process's first breath and its second second. */
export const groupAtRandom: Kill = {
  kind: 'group',
  async strike(life, random) {
    const running = life.daemon();
    await Promise.race([running.ended, delay(50 + random() * 2000)]);
    await life.killAll();
  },
};

/** Everything at once, and again while the next daemon takes back what the first one left. */
export const duringRecovery: Kill = {
  kind: 'during recovery',
  async strike(life, random) {
    const running = await life.fresh();
    await Promise.race([running.ended, delay(150 + random() * 700)]);
    await life.killAll();
  },
};

/** Everything at once, and the memory gone, as in a power cut. */
export const ramDiskWiped: Kill = {
  kind: 'RAM disk wiped',
  async strike(life, random) {
    const running = life.daemon();
    await Promise.race([running.ended, delay(600 + random() * 1800)]);
    await life.killAll();
    life.wipeRamDisk();
  },
};

/** The daemon alone: nobody is left to end its worker. */
export const daemonAlone: Kill = {
  kind: 'daemon alone',
  async strike(life, random) {
    const running = life.daemon();
    await Promise.race([running.ended, delay(300 + random() * 2000)]);
    running.child.kill('SIGKILL');
    await running.ended;
    await life.until('R25 the end of the orphans', () => processesOf(life.home).length === 0, 5_000);
    await life.killAll();
  },
};

/** One of the daemon's processes, while the others live on; then it must get on by itself. */
function oneProcess(kind: string, is: (command: string) => boolean): Kill {
  return {
    kind,
    async strike(life, random) {
      life.daemon();
      await delay(random() * 500);
      let pid: number | undefined;
      const found = await life.until(`a ${kind} to kill`, () => {
        pid = processesOf(life.home).find((each) => is(commandOf(each)));
        return pid !== undefined || life.isDone;
      });
      if (!found || pid === undefined) return;
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        return; // It ended by itself between the look and the kill.
      }
      life.lostOne();
      await life.progress();
      // After the end of an ffmpeg, frames of other batches come at once: that is no recovery.
      if (kind.startsWith('worker')) life.noteRecovery();
      life.check();
    },
  };
}

export const workerAlone = oneProcess('worker alone', (command) => command.includes('worker/entry.js'));
export const ffmpegAlone = oneProcess('ffmpeg alone', (command) => /^\S*ffmpeg\0/.test(command));

/** Where a worker is stopped, another takes its job, and the first is woken up again (R10). */
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

export function stopAndContinue(at: FailPoint): Kill {
  return {
    kind: 'stop and continue',
    at,
    async strike(life) {
      await life.quiet();
      life.points.arm(`${at} 1 stop`);
      const first = life.start();
      if (!(await life.until(`a stop at ${at}`, () => life.points.hasFired(at) || life.isDone))) return;
      life.points.arm();
      const sleeper = processesOf(life.home).find((pid) => commandOf(pid).includes('worker/entry.js'));
      first.child.kill('SIGKILL');
      await first.ended;
      life.kills++;
      life.start();
      await delay(300);
      // Age is simulated: its lease ran out long ago.
      const db = new SqliteDatabase(join(life.home, '.framekiln/framekiln.db'), { timeout: 10_000 });
      db.prepare(
        `UPDATE jobs SET lease_expires_at_ms = 1 WHERE state = 'running' AND lease_owner LIKE ?`,
      ).run(`${sleeper ?? 0}:%`);
      db.close();
      await life.progress();
      if (sleeper !== undefined) {
        life.wokenAtMs.push(Date.now());
        process.kill(sleeper, 'SIGCONT');
        await life.until('the end of the one that was woken', () => !isAlive(sleeper), 10_000);
      }
      await life.progress();
      life.check();
    },
  };
}

/** Everything at once, at a fail point. `others` fail first, so that it is reached. */
export function groupAt(at: FailPoint, others: readonly FailPoint[] = []): Kill {
  return {
    kind: 'fail point',
    at,
    async strike(life) {
      await life.quiet();
      if (at.startsWith('remove-batch')) damageFirstSegment(life);
      const lines = others.map((name) => `${name} 1 EIO` as const);
      life.points.arm(...lines, `${at} 1 kill-group`);
      const running = life.start();
      await Promise.race([running.ended, delay(90_000)]);
      await life.killAll();
    },
  };
}

/** In a daemon that carries out what a person wants. */
export function groupAtCommand(at: FailPoint, command: 'cancel' | 'retry'): Kill {
  return {
    kind: 'fail point',
    at,
    async strike(life) {
      const first = await life.fresh();
      await life.progress();
      await first.killGroup();
      if (command === 'retry') request(life, 'cancel');
      life.extraFrames += life.inferred().length;
      if (command === 'retry') await (await life.fresh()).ended;
      request(life, command);
      life.points.arm(`${at} 1 kill-group`);
      await Promise.race([life.start().ended, delay(20_000)]);
      await life.killAll();
      // What a person wants after all is a finished clip.
      life.points.arm();
      if (command === 'cancel') await life.start().ended;
      request(life, 'retry');
    },
  };
}

/** The daemon dies while it pauses the queue, which goes on afterwards. */
export function groupAtPause(at: FailPoint): Kill {
  return {
    kind: 'fail point',
    at,
    async strike(life) {
      await life.quiet();
      run(['pause', '--home', life.home]);
      life.points.arm(`${at} 1 kill-group`);
      await Promise.race([life.start().ended, delay(20_000)]);
      await life.killAll();
      life.points.arm();
      run(['resume', '--home', life.home]);
    },
  };
}

/** Without a daemon a request waits in the database. */
function request(life: Life, command: 'cancel' | 'retry'): void {
  run([command, '1', '--home', life.home]);
}

/** The command line itself dies; whether its request arrived is a matter of the instant. */
export function commandLineAt(at: FailPoint): Kill {
  return {
    kind: 'fail point',
    at,
    strike(life) {
      life.points.arm(`${at} 1 kill`);
      run(
        at.startsWith('other-file')
          ? ['doctor', '--home', life.home]
          : ['prioritise', '1', '5', '--home', life.home],
        life.points.environment,
      );
      life.kills++;
      life.check();
      return Promise.resolve();
    },
  };
}

/** While frames are put on the disk because the RAM disk, shrunk by the test, has no room. */
export function groupAtSpill(at: FailPoint): Kill {
  return {
    kind: 'fail point',
    at,
    async strike(life) {
      await life.quiet();
      life.wipeRamDisk();
      life.points.arm('ram-disk.stamped 1 stop', `${at} 1 kill-group`);
      const running = life.start();
      await life.until('the RAM disk', () => life.points.hasFired('ram-disk.stamped'));
      const ram = join(life.home, '.framekiln/ram');
      execFileSync('mount', ['-o', 'remount,size=64k', join(ram, readdirSync(ram)[0] ?? '')]);
      process.kill(-(running.child.pid ?? 0), 'SIGCONT');
      await Promise.race([running.ended, delay(60_000)]);
      await life.killAll();
    },
  };
}

function damageFirstSegment(life: Life): void {
  const segments = join(life.home, '.framekiln/jobs/1/segments');
  const [first = ''] = readdirSync(segments).filter((name) => !name.endsWith('.tmp'));
  writeFileSync(join(segments, first), 'x');
  life.damaged.add(first);
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
