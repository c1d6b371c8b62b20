import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { frameMd5, makeClip } from '../helpers/clips.ts';
import { failPointFolder } from '../helpers/fail-points.ts';
import { makeHome, readLog, resumedFrames, run, start } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/* Files whose names, or the names of their folders, are not valid UTF-8. */

const QUICK =
  'intake: { settleSeconds: 0.2, rescanSeconds: 1 }\nbatch: { firstFrames: 4, frames: 4 }\nworkspace: { memoryFraction: 0.05 }\n';
const SLOW = { tags: ['slow'], timeout: 180_000 };
const FRAMES = 12;

interface Status {
  readonly jobs: { readonly file: string; readonly state: string; readonly output: string }[];
  readonly rejected: { readonly file: string; readonly code: string }[];
}

function setUp(settings = '') {
  const home = makeHome(temporaryFolder(), QUICK + settings);
  /** The path of a name in a folder of the home, with one byte for each character. */
  const path = (name: string, folder = 'input/lanczos-2x') =>
    Buffer.concat([Buffer.from(join(home, folder) + '/'), Buffer.from(name, 'latin1')]);
  const addClip = (name: string, width = 64) => {
    const made = makeClip(join(temporaryFolder(), 'made.mp4'), { frames: FRAMES, width, audio: false });
    renameSync(made, path(name));
  };
  const status = () => JSON.parse(run(['status', '--json', '--home', home]).stdout) as Status;
  const finish = () => run(['start', '--once', '--home', home]).status;
  const links = () => {
    const folder = join(home, '.framekiln/names');
    return existsSync(folder) ? readdirSync(folder) : [];
  };
  /** Names in a folder of the home, with one character for each byte. */
  const namesIn = (folder: string) =>
    readdirSync(join(home, folder), { encoding: 'buffer' }).map((name) => name.toString('latin1'));
  return { home, path, addClip, status, finish, links, namesIn };
}

test('files and folders whose names are not UTF-8 are processed once, with their sidecar files', SLOW, () => {
  const { home, path, addClip, status, finish, namesIn } = setUp();
  mkdirSync(path('\xfcber'));
  addClip('caf\xe9.mp4');
  addClip('caf\\xe9.mp4', 72); // A name that looks like the readable form of the other one.
  addClip('\xfcber/clip.mp4', 80);
  addClip('\xfcber/\xe9t\xe9.mp4', 88);
  writeFileSync(path('caf\xe9.mp4.recipe.yaml'), 'scale: 3\n');
  const before = namesIn('input/lanczos-2x');
  expect(finish()).toBe(0);
  expect(finish()).toBe(0);
  const { jobs, rejected } = status();
  expect(rejected).toEqual([]);
  expect(jobs.map(({ file, state }) => `${file} ${state}`).sort()).toEqual([
    'lanczos-2x/\\xfcber/\\xe9t\\xe9.mp4 done',
    'lanczos-2x/\\xfcber/clip.mp4 done',
    'lanczos-2x/caf\\xe9.mp4 done',
    'lanczos-2x/caf\\xe9.mp4 done',
  ]);
  expect(jobs.map(({ output }) => output.slice(join(home, 'output/lanczos-2x/').length)).sort()).toEqual([
    '\\xfcber/\\xe9t\\xe9.mp4',
    '\\xfcber/clip.mp4',
    'caf\\xe9 (2).mp4',
    'caf\\xe9.mp4',
  ]);
  for (const { output } of jobs) expect(frameMd5(output), output).toHaveLength(FRAMES);
  expect(namesIn('input/lanczos-2x')).toEqual(before);
  expect(readLog(home).match(/ queued as job /g)).toHaveLength(4);
  expect(readLog(home)).toMatch(/lanczos-2x\/caf\\xe9\.mp4 queued as job \d: lanczos, scale 3/);
});

test.each(['move', 'delete'] as const)(
  'a source whose name is not UTF-8 is settled: %s',
  (settling) => {
    const { home, path, addClip, finish, links, namesIn } = setUp(`output: { source: ${settling} }\n`);
    addClip('caf\xe9.mp4');
    const content = readFileSync(path('caf\xe9.mp4'));
    expect(finish()).toBe(0);
    expect(namesIn('input/lanczos-2x')).toEqual([]);
    expect(frameMd5(join(home, 'output/lanczos-2x/caf\\xe9.mp4'))).toHaveLength(FRAMES);
    if (settling === 'move') {
      expect(namesIn('finished')).toEqual(['caf\xe9.mp4']);
      expect(readFileSync(path('caf\xe9.mp4', 'finished'))).toEqual(content);
    }
    // The next scan removes the link.
    expect(finish()).toBe(0);
    expect(links()).toEqual([]);
  },
  60_000,
);

test(
  'a job with such a source resumes after a kill, also in a home that was moved, and without its link',
  SLOW,
  async () => {
    const { home, addClip, links } = setUp();
    addClip('caf\xe9.mp4');
    const points = failPointFolder(join(temporaryFolder(), 'points'));
    points.arm('commit-batch.committed 2 kill-group');
    await start(['start', '--once', '--home', home], points.environment).ended;
    expect(points.hasFired('commit-batch.committed')).toBe(true);
    expect(links()).toHaveLength(1);
    const moved = join(temporaryFolder(), 'moved');
    renameSync(home, moved);
    rmSync(join(moved, '.framekiln/names'), { recursive: true });
    expect(run(['start', '--once', '--home', moved]).status).toBe(0);
    expect(resumedFrames(readLog(moved))).toBe(8);
    expect(frameMd5(join(moved, 'output/lanczos-2x/caf\\xe9.mp4'))).toHaveLength(FRAMES);
  },
);

test(
  'a source with such a name that is replaced, or comes back after it was gone, is recognised',
  SLOW,
  () => {
    const { path, addClip, finish, links, status } = setUp();
    addClip('caf\xe9.mp4');
    expect(finish()).toBe(0);
    rmSync(path('caf\xe9.mp4'));
    expect(finish()).toBe(0);
    expect(links()).toEqual([]);
    addClip('caf\xe9.mp4', 96);
    expect(finish()).toBe(0);
    const { jobs } = status();
    expect(jobs.map(({ state, output }) => `${basename(output)} ${state}`)).toEqual([
      'caf\\xe9.mp4 done',
      'caf\\xe9 (2).mp4 done',
    ]);
  },
);

test('a damaged file with such a name is moved to quarantine under its own name', SLOW, () => {
  const { home, path, finish, namesIn } = setUp();
  writeFileSync(
    join(home, 'framekiln.yaml'),
    'intake: { settleSeconds: 0.2, rescanSeconds: 1, rejected: quarantine }\n',
  );
  writeFileSync(path('caf\xe9.mp4'), 'x'.repeat(5000));
  finish();
  expect(namesIn('quarantine').sort()).toEqual(['caf\\xe9.mp4.txt', 'caf\xe9.mp4'].sort());
});
