import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Cli } from '../../../src/cli/cli.ts';
import { sendCommand } from '../../../src/cli/send-command.ts';
import { isDaemonRunning } from '../../../src/daemon/is-daemon-running.ts';
import { ExitCode } from '../../../src/domain/exit-codes.ts';
import { acquireProcessLock } from '../../../src/queue/process-lock.ts';
import { openQueue, type Queue } from '../../../src/queue/queue.ts';

let folder: string;
let queue: Queue;
let lockFile: string;
let cli: Cli & { printed: string[]; complained: string[] };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'framekiln-cli-'));
  lockFile = join(folder, 'lock');
  queue = openQueue(join(folder, 'queue.db'));
  const printed: string[] = [];
  const complained: string[] = [];
  let clock = 0;
  cli = {
    ...{ printed, complained, interactive: false, columns: Infinity, exitCode: ExitCode.ok },
    print: (line) => void printed.push(line),
    complain: (line) => void complained.push(line),
    now: () => (clock += 500),
  };
});
afterEach(() => {
  queue.close();
  rmSync(folder, { recursive: true });
});

const PAUSE_ALL = { kind: 'pause', jobId: null, argument: null } as const;

/** Holds the daemon's lock in a process of its own: a lock does not keep its own process out. */
async function withDaemon(action: () => Promise<void>): Promise<void> {
  const code = `
    const Database = require('better-sqlite3');
    // Kept in a variable of the process: a collected connection is closed, and releases the lock.
    globalThis.db = new Database(process.argv[1]);
    globalThis.db.exec('BEGIN EXCLUSIVE');
    process.send('held');
    process.on('disconnect', () => process.exit());`;
  const child = fork('-e', [], { execArgv: ['-e', code, lockFile] });
  await once(child, 'message');
  try {
    await action();
  } finally {
    child.kill();
    await once(child, 'exit');
  }
}

describe('sendCommand', () => {
  it('queues the command for a daemon that is not running', async () => {
    await sendCommand(cli, { queue, lockFile }, PAUSE_ALL);
    expect(queue.commands.nextCommands()).toMatchObject([PAUSE_ALL]);
    expect(cli.printed).toEqual([
      'The daemon is not running; the command takes effect when the daemon starts.',
    ]);
    expect(cli.exitCode).toBe(ExitCode.ok);
  });

  it('queues no command for a job that does not exist', async () => {
    await sendCommand(cli, { queue, lockFile }, { kind: 'cancel', jobId: 7, argument: null });
    expect(queue.commands.nextCommands()).toEqual([]);
    expect(cli.complained).toEqual(['There is no job 7; to list the jobs: framekiln status']);
    expect(cli.exitCode).toBe(ExitCode.failed);
  });

  it.each([
    [{ succeeded: true, result: 'The queue is paused.' }, 'printed', ExitCode.ok],
    [{ succeeded: false, result: 'Job 1 is done.' }, 'complained', ExitCode.failed],
  ] as const)('prints the daemon’s answer %j', async (answer, stream, exitCode) => {
    await withDaemon(async () => {
      const sent = sendCommand(cli, { queue, lockFile }, PAUSE_ALL);
      const [command] = queue.commands.nextCommands();
      queue.commands.markHandled(command?.id ?? 0, answer, 1);
      await sent;
    });
    expect(cli[stream]).toEqual([answer.result]);
    expect(cli.exitCode).toBe(exitCode);
  });

  it('does not wait forever for a busy daemon', async () => {
    await withDaemon(() => sendCommand(cli, { queue, lockFile }, PAUSE_ALL));
    expect(cli.printed).toEqual(['The daemon is busy; it will carry out the command as soon as it can.']);
  });
});

describe('isDaemonRunning', () => {
  it('reports whether the lock is held, and does not keep it', async () => {
    await withDaemon(() => {
      expect(isDaemonRunning(lockFile)).toBe(true);
      return Promise.resolve();
    });
    expect(isDaemonRunning(lockFile)).toBe(false);
    const lock = acquireProcessLock(lockFile);
    expect(lock).not.toBeNull();
    lock?.release();
  });
});
