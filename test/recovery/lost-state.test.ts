import { spawn } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ExitCode } from '../../src/domain/exit-codes.ts';
import { openQueue } from '../../src/queue/queue.ts';
import { makeClip } from '../helpers/clips.ts';
import { MAIN, makeHome, processesOf } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/** `rm -rf` cannot remove a mount point. */
const SETTINGS = 'intake: { settleSeconds: 0.2 }\nbatch: { firstFrames: 10, frames: 20 }\n';
const NO_MOUNT = 'workspace: { memoryFraction: 0.05, kind: shm }\n';

const LOST =
  /ERROR \S+(framekiln\.db|daemon\.lock) was (removed or moved|replaced by another file) while Framekiln was running/;

/** A running program, and what it prints. */
function startAndRead(args: readonly string[]) {
  const child = spawn(process.execPath, [MAIN, ...args], { detached: true });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (printed += text));
  const ended = new Promise<number | null>((end) => child.once('close', end));
  onTestFinished(() => {
    if (child.exitCode === null) process.kill(-(child.pid ?? 0), 'SIGKILL');
  });
  return { ended, printed: () => printed };
}

/** A daemon that has committed a batch of its clip, with minutes of work to do. */
async function workingDaemon() {
  const home = makeHome(temporaryFolder(), SETTINGS + NO_MOUNT);
  makeClip(join(home, 'input/lanczos-2x/clip.mp4'), { frames: 1500 });
  const daemon = startAndRead(['start', '--home', home]);
  await expect.poll(daemon.printed, { timeout: 60_000 }).toMatch(/ % · [1-9]\d+ of 1500 frames/);
  const expectLost = async (): Promise<void> => {
    expect(await daemon.ended).toBe(ExitCode.stateLost);
    expect(daemon.printed()).toMatch(LOST);
    expect(processesOf(home)).toEqual([]);
  };
  return { home, database: join(home, '.framekiln/framekiln.db'), expectLost };
}

test('a daemon whose state is deleted exits with a sentence, and creates no new state', async () => {
  const { home, database, expectLost } = await workingDaemon();
  rmSync(join(home, '.framekiln'), { recursive: true, force: true, maxRetries: 5 });
  await expectLost();
  expect(existsSync(database)).toBe(false);
});

test(
  'a daemon whose database is replaced exits, and does not touch the new one',
  { tags: ['slow'] },
  async () => {
    const { database, expectLost } = await workingDaemon();
    const other = join(temporaryFolder(), 'other.db');
    openQueue(other).close();
    const bytes = readFileSync(other);
    renameSync(other, database);
    await expectLost();
    expect(readFileSync(database).equals(bytes)).toBe(true);
  },
);

test(
  'a daemon whose lock file is replaced exits, because a second daemon could start',
  { tags: ['slow'] },
  async () => {
    const { home, expectLost } = await workingDaemon();
    rmSync(join(home, '.framekiln/daemon.lock'));
    await expectLost();
  },
);

test(
  'a daemon whose home is moved away exits, and does not create the old home again',
  { tags: ['slow'] },
  async () => {
    const { home, expectLost } = await workingDaemon();
    const moved = join(temporaryFolder(), 'moved');
    renameSync(home, moved);
    await expectLost();
    expect(existsSync(home)).toBe(false);
    expect(readdirSync(join(moved, 'input/lanczos-2x'))).toEqual(['clip.mp4']);
  },
);

test('`framekiln run` whose state is deleted exits with a sentence', { tags: ['slow'] }, async () => {
  const home = makeHome(temporaryFolder(), SETTINGS + NO_MOUNT);
  const clip = makeClip(join(home, 'clip.mp4'), { frames: 1500 });
  const running = startAndRead(['run', clip, '--model', 'lanczos', '--skip-checks', '--home', home]);
  await expect.poll(running.printed, { timeout: 60_000 }).toMatch(/ % · [1-9]\d+ of 1500 frames/);
  rmSync(join(home, '.framekiln'), { recursive: true, force: true, maxRetries: 5 });
  expect(await running.ended).toBe(ExitCode.stateLost);
  expect(running.printed()).toMatch(/STATE_LOST: /);
  expect(existsSync(join(home, '.framekiln/framekiln.db'))).toBe(false);
});
