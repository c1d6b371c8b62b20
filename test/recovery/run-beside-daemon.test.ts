import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Job } from '../../src/domain/job.ts';
import { ExitCode } from '../../src/domain/exit-codes.ts';
import { openQueue } from '../../src/queue/queue.ts';
import { frameMd5, makeClip } from '../helpers/clips.ts';
import { MAIN, makeHome, readLog, run, start } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const OTHER_NAMESPACE = ['--pid', '--fork', '--kill-child', '--mount-proc'];
const canUnshare = spawnSync('unshare', [...OTHER_NAMESPACE, 'true']).status === 0;

/** Starts the program as in a container: with a PID namespace of its own. */
function startInContainer(args: readonly string[]) {
  const child = spawn('unshare', [...OTHER_NAMESPACE, process.execPath, MAIN, ...args], { stdio: 'ignore' });
  const ended = new Promise<void>((end) => child.once('exit', () => end()));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
}

/** Starts `framekiln run`, and collects what it prints. */
function startRun(args: readonly string[]) {
  const child = spawn(process.execPath, [MAIN, 'run', ...args]);
  onTestFinished(() => void child.kill('SIGKILL'));
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (printed += text));
  const ended = new Promise<number | null>((end) => child.once('close', end));
  return { child, ended, printed: () => printed };
}

function jobs(home: string): Job[] {
  if (!existsSync(join(home, '.framekiln/framekiln.db'))) return [];
  const queue = openQueue(join(home, '.framekiln/framekiln.db'));
  try {
    return queue.jobs.listJobs();
  } finally {
    queue.close();
  }
}

const waitFor = <T>(probe: () => T) => expect.poll(probe, { timeout: 60_000, interval: 50 });

/** A home whose daemon has started. */
async function homeWithDaemon(launch: (args: readonly string[]) => unknown, settings = ''): Promise<string> {
  const home = makeHome(temporaryFolder(), settings);
  launch(['start', '--home', home]);
  await waitFor(() => readLog(home)).toMatch(/is watching/);
  return home;
}

test.skipIf(!canUnshare)(
  'a daemon in a container and a run outside do not take jobs from each other (skipped if unshare --pid is not permitted)',
  { tags: ['slow'] },
  async () => {
    const home = await homeWithDaemon(startInContainer);
    // Outside the home: the daemon may not see this folder, so `run` uses a worker of its own.
    const clip = makeClip(join(temporaryFolder(), 'outside.mp4'), { frames: 60 });
    makeClip(join(home, 'input/lanczos-2x/inside.mp4'), { frames: 120 });
    await waitFor(() => jobs(home)[0]?.state).toBe('running');
    const { status, stdout, stderr } = run([
      'run',
      clip,
      '--model',
      'lanczos',
      '--skip-checks',
      '--home',
      home,
    ]);
    expect(stdout + stderr).toMatch(/Finished: /);
    expect(status).toBe(0);
    await waitFor(() => jobs(home).map(({ state }) => state)).toEqual(['done', 'done']);
    expect(readLog(home)).not.toMatch(/was interrupted|taken back|crashed|LEASE_LOST/);
    // One claim each: no process took a job for abandoned.
    expect(readLog(home).match(/\] indexed /g)).toHaveLength(2);
    expect(frameMd5(join(home, 'output/outside.mp4'))).toHaveLength(60);
  },
);

test.skipIf(!canUnshare)(
  'a run outside hands its job over to a daemon in a container that sees its files (skipped if unshare --pid is not permitted)',
  { tags: ['slow'] },
  async () => {
    const home = await homeWithDaemon(startInContainer);
    const clip = makeClip(join(home, 'clip.mp4'), { frames: 30 });
    const { status, stdout } = run(['run', clip, '--model', 'lanczos', '--skip-checks', '--home', home]);
    expect(stdout).toMatch(/clip\.mp4 handed over to the running daemon as job 1/);
    expect(status).toBe(0);
    expect(frameMd5(join(home, 'output/clip.mp4'))).toHaveLength(30);
  },
);

test('the daemon gets the job of a run, before its own, and keeps the source', async () => {
  const quick =
    'intake: { settleSeconds: 0.2 }\nbatch: { firstFrames: 10, frames: 20 }\nworkspace: { memoryFraction: 0.05 }\n';
  const home = await homeWithDaemon(start, `${quick}output: { source: delete }\n`);
  const clip = makeClip(join(temporaryFolder(), 'clip.mp4'), { frames: 30 });
  const folder = temporaryFolder();
  const { status, stdout } = run([
    ...['run', clip, '--model', 'lanczos', '--skip-checks', '--output', folder, '--home', home],
  ]);
  expect(stdout).toMatch(/handed over to the running daemon[^]*Finished: /);
  expect(status).toBe(0);
  expect(frameMd5(join(folder, 'clip.mp4'))).toHaveLength(30);
  expect(existsSync(clip)).toBe(true);
  expect(jobs(home)).toMatchObject([{ origin: 'handed-over', state: 'done' }]);
});

test('Ctrl-C leaves the job with the daemon and says so', { tags: ['slow'] }, async () => {
  const home = await homeWithDaemon(start);
  const clip = makeClip(join(home, 'clip.mp4'), { frames: 240 });
  const { child, ended, printed } = startRun([clip, '--model', 'lanczos', '--skip-checks', '--home', home]);
  await waitFor(() => jobs(home)[0]?.state).toBe('running');
  child.kill('SIGINT');
  expect(await ended).toBe(ExitCode.stopped);
  expect(printed()).toMatch(/The daemon will continue job 1; to cancel it: framekiln cancel 1/);
  await waitFor(() => jobs(home)[0]?.state).toBe('done');
});

test('a run whose daemon ends finishes its job alone', { tags: ['slow'] }, async () => {
  const home = makeHome(temporaryFolder());
  const daemon = start(['start', '--home', home]);
  await waitFor(() => readLog(home)).toMatch(/is watching/);
  const clip = makeClip(join(home, 'clip.mp4'), { frames: 240 });
  const { ended, printed } = startRun([clip, '--model', 'lanczos', '--skip-checks', '--home', home]);
  await waitFor(() => jobs(home)[0]?.state).toBe('running');
  await daemon.killGroup();
  expect(await ended).toBe(0);
  expect(printed()).toMatch(/the daemon ended; continuing without it[^]*Finished: /);
  expect(frameMd5(join(home, 'output/clip.mp4'))).toHaveLength(240);
});
