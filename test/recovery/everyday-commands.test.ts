import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openQueue } from '../../src/queue/queue.ts';
import { makeClip } from '../helpers/clips.ts';
import { failPointFolder } from '../helpers/fail-points.ts';
import { MAIN, makeHome, readLog, run, start } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const WAIT = { timeout: 20_000, interval: 50 };

describe('a closed terminal', () => {
  it('stops a daemon that runs in it', async () => {
    const home = makeHome(temporaryFolder());
    const terminal = spawn(
      'script',
      ['-qefc', `${process.execPath} ${MAIN} start --home ${home}`, '/dev/null'],
      {
        stdio: 'ignore',
      },
    );
    onTestFinished(() => void terminal.kill('SIGKILL'));
    await vi.waitFor(() => expect(readLog(home)).toMatch(/is watching/), WAIT);
    terminal.kill('SIGKILL');
    await vi.waitFor(() => expect(readLog(home)).toMatch(/stopped; unfinished jobs will resume/), WAIT);
  });

  it('does not stop a daemon that was started with nohup or as a service', async () => {
    const home = makeHome(temporaryFolder());
    const { child, ended } = start(['start', '--home', home]);
    await vi.waitFor(() => expect(readLog(home)).toMatch(/is watching/), WAIT);
    child.kill('SIGHUP');
    makeClip(join(home, 'input/lanczos-2x/clip.mp4'), { width: 32, height: 32, frames: 5 });
    await vi.waitFor(() => expect(readLog(home)).toMatch(/done in/), WAIT);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });
});

describe('add', () => {
  it.each([
    ['a model that does not exist', ['--model', 'foo'], 2, /There is no upscaling model named "foo"/],
    ['a model file that does not exist', ['--model', './foo.onnx'], 2, /foo\.onnx cannot be read/],
    [
      'a model for another purpose',
      ['--model', 'blazeface-full-range'],
      2,
      /There is no upscaling model named/,
    ],
  ])('rejects %s and queues nothing', (_, options, status, message) => {
    const home = makeHome(temporaryFolder());
    const clip = makeClip(join(home, 'clip.mp4'), { frames: 2 });
    const result = run(['add', clip, ...options, '--home', home]);
    expect(result.stderr).toMatch(message);
    expect(result.status).toBe(status);
    const queue = openQueue(join(home, '.framekiln/framekiln.db'));
    expect(queue.commands.nextCommands()).toEqual([]);
    queue.close();
  });
});

it('a sidecar with a model that does not exist rejects its file before it becomes a job', () => {
  const home = makeHome(temporaryFolder());
  makeClip(join(home, 'input/a.mp4'), { frames: 2 });
  writeFileSync(join(home, 'input/a.mp4.recipe.yaml'), 'model: foo\n');
  makeClip(join(home, 'input/b.mp4'), { frames: 2 });
  writeFileSync(join(home, 'input/b.mp4.recipe.yaml'), 'model: /nowhere/foo.onnx\n');
  makeClip(join(home, 'input/lanczos-2x/good.mp4'), { frames: 2 });
  expect(run(['start', '--once', '--home', home]).status).toBe(1);
  const { jobs, rejected } = JSON.parse(run(['status', '--json', '--home', home]).stdout) as {
    jobs: { state: string }[];
    rejected: { code: string; message: string }[];
  };
  expect(jobs.map(({ state }) => state)).toEqual(['done']);
  expect(rejected.map(({ code }) => code)).toEqual(['BAD_RECIPE', 'BAD_RECIPE']);
  expect(rejected[0]?.message).toMatch(/There is no upscaling model named "foo"/);
  expect(rejected[1]?.message).toMatch(/foo\.onnx does not exist/);
});

it('a model option that names a pipe is an error and does not block', async () => {
  const home = makeHome(temporaryFolder());
  const pipe = join(home, 'model.onnx');
  const clip = makeClip(join(home, 'clip.mp4'), { frames: 2 });
  await once(spawn('mkfifo', [pipe]), 'exit');
  const child = spawn(process.execPath, [MAIN, 'run', clip, '--model', pipe, '--home', home], {
    timeout: 20_000,
  });
  const [status] = (await once(child, 'exit')) as [number | null];
  expect(status).toBe(2);
});

it('config set writes through a link to the settings file', () => {
  const home = makeHome(temporaryFolder());
  const target = join(temporaryFolder(), 'shared.yaml');
  writeFileSync(target, '# shared\nattempts: 3\n');
  const link = join(home, 'linked');
  mkdirSync(link);
  symlinkSync(target, join(link, 'framekiln.yaml'));
  expect(run(['config', 'set', 'attempts', '5', '--home', link]).status).toBe(0);
  expect(lstatSync(join(link, 'framekiln.yaml')).isSymbolicLink()).toBe(true);
  expect(readFileSync(target, 'utf8')).toBe('# shared\nattempts: 5\n');
});

it.skipIf(process.getuid?.() !== 0)(
  'a home that belongs to root gives other users a sentence and exit code 3',
  () => {
    const home = makeHome(temporaryFolder());
    expect(run(['status', '--home', home]).status).toBe(0);
    for (let folder = home; folder !== '/tmp'; folder = dirname(folder)) chmodSync(folder, 0o755);
    const asNobody = ['--reuid', '65534', '--regid', '65534', '--clear-groups'];
    for (const command of [['status'], ['start', '--once'], ['pause']]) {
      const { status, stderr } = spawnSync(
        'setpriv',
        [...asNobody, process.execPath, MAIN, ...command, '--home', home],
        { encoding: 'utf8' },
      );
      expect(stderr).toMatch(/This user cannot write to /);
      expect(stderr).not.toMatch(/ at .*\.js/);
      expect(status, command.join(' ')).toBe(3);
    }
  },
);

it('status counts only frames that are committed', async () => {
  const home = makeHome(temporaryFolder());
  const points = failPointFolder(join(home, 'points'));
  makeClip(join(home, 'input/lanczos-2x/clip.mp4'), { width: 32, height: 32, frames: 10 });
  points.arm('commit-batch.before-begin 1 kill-group');
  await start(['start', '--once', '--home', home], points.environment).ended;
  const { jobs } = JSON.parse(run(['status', '--json', '--home', home]).stdout) as {
    jobs: { framesDone: number; state: string }[];
  };
  expect(jobs).toMatchObject([{ framesDone: 0, percent: 0 }]);
});

it('a settings file that is broken while it is edited does not change what becomes of files', async () => {
  const home = makeHome(
    temporaryFolder(),
    'recipe: { model: lanczos, scale: 2 }\nintake: { settleSeconds: 0.2, rescanSeconds: 1 }\n',
  );
  start(['start', '--home', home]);
  await vi.waitFor(() => expect(readLog(home)).toMatch(/is watching/), WAIT);
  writeFileSync(join(home, 'framekiln.yaml'), 'recipe: { model: lanc');
  await vi.waitFor(() => expect(readLog(home)).toMatch(/has 1 error and is ignored; its last version/), WAIT);
  makeClip(join(home, 'input/clip.mp4'), { frames: 5 });
  await vi.waitFor(() => expect(readLog(home)).toMatch(/clip\.mp4 queued as job 1: lanczos, scale 2/), WAIT);
});
