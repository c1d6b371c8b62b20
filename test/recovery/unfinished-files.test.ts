import { execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openQueue } from '../../src/queue/queue.ts';
import { frameMd5, makeClip } from '../helpers/clips.ts';
import { filesBelow, makeHome, readLog, run, start } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/* Files that are still being copied, and files that are no videos at all, as people put them into input/ (promise 41). */

/** Files settle after two seconds; the second look comes after 24. */
const SLOW = 'intake: { settleSeconds: 2, rescanSeconds: 1 }\n';
/** Files settle after 0.2 seconds; the second look comes after 2.4. */
const QUICK = 'intake: { settleSeconds: 0.2, rescanSeconds: 1 }\n';
const FRAMES = 40;

interface Status {
  readonly jobs: { readonly file: string; readonly state: string }[];
  readonly rejected: { readonly file: string; readonly code: string; readonly message: string }[];
  readonly waiting: { readonly file: string; readonly code: string; readonly message: string }[];
}

function setUp(settings: string) {
  const home = makeHome(temporaryFolder(), settings);
  const path = (name: string) => join(home, 'input/lanczos-2x', name);
  const status = () => JSON.parse(run(['status', '--json', '--home', home]).stdout) as Status;
  const stateOf = (name: string) => {
    const database = join(home, '.framekiln/framekiln.db');
    if (!existsSync(database)) return undefined;
    const queue = openQueue(database);
    try {
      return queue.jobs.listJobs().find(({ sourcePath }) => sourcePath.endsWith(`/${name}`))?.state;
    } finally {
      queue.close();
    }
  };
  const isDone = (name: string) =>
    expect.poll(() => stateOf(name), { timeout: 60_000, interval: 50 }).toBe('done');
  const hasLogged = (pattern: RegExp) =>
    expect.poll(() => pattern.test(readLog(home)), { timeout: 30_000, interval: 50 }).toBe(true);
  /** Waits until a video that comes now is done: whatever is not taken by then is waiting. */
  const waitForAnother = async () => {
    makeClip(path('another.mkv'), { frames: 10, audio: false });
    await isDone('another.mkv');
  };
  const output = (name: string) => join(home, 'output/lanczos-2x', name);
  return { home, path, status, stateOf, isDone, hasLogged, waitForAnother, output };
}

/** A video of 40 frames as bytes, in the container that the name asks for. */
function videoBytes(name: string, encoder?: readonly string[], audio = true): Buffer {
  const path = makeClip(join(temporaryFolder(), name), {
    frames: FRAMES,
    audio,
    ...(encoder && { encoder }),
  });
  return readFileSync(path);
}

/** A process that opens a file for writing and writes into it what it is given, until it is told to close. */
function openWriter(path: string) {
  const child = spawn('sh', ['-c', 'exec cat > "$1"', 'sh', path], { stdio: ['pipe', 'ignore', 'ignore'] });
  onTestFinished(() => void child.kill());
  return { write: (bytes: Buffer) => child.stdin.write(bytes), close: () => child.stdin.end() };
}

describe('a copy that pauses', () => {
  test(
    'is not taken while a process has the file open for writing, and is taken once it is closed',
    { tags: ['slow'], timeout: 120_000 },
    async () => {
      const { home, path, stateOf, isDone, hasLogged, waitForAnother, status, output } = setUp(QUICK);
      start(['start', '--home', home]);
      const bytes = videoBytes('clip.mkv');
      const writer = openWriter(path('clip.mkv'));
      writer.write(bytes);
      await hasLogged(/clip\.mkv waiting: process \d+ \(cat\) has it open for writing/);
      await waitForAnother();
      expect(stateOf('clip.mkv')).toBeUndefined();
      expect(status().waiting).toMatchObject([{ file: 'lanczos-2x/clip.mkv', code: 'OPEN_FOR_WRITING' }]);
      expect(readLog(home).match(/has it open for writing/g)).toHaveLength(1);
      writer.close();
      await isDone('clip.mkv');
      expect(frameMd5(output('clip.mkv'))).toHaveLength(FRAMES);
    },
  );

  test(
    'that is closed half-way is neither taken nor rejected before the rest comes',
    { tags: ['slow'], timeout: 240_000 },
    async () => {
      const { home, path, status, isDone, waitForAnother } = setUp(`${SLOW}output: { source: delete }\n`);
      const fastStart = ['-c:v', 'libx264', '-preset', 'veryfast', '-movflags', '+faststart'];
      const copies = [
        { name: 'a.mp4', bytes: videoBytes('a.mp4') },
        { name: 'b.mkv', bytes: videoBytes('b.mkv') },
        { name: 'c.mov', bytes: videoBytes('c.mov', fastStart) },
        { name: 'd.avi', bytes: videoBytes('d.avi', ['-c:v', 'mjpeg']) },
        { name: 'e.webm', bytes: videoBytes('e.webm', ['-c:v', 'libvpx', '-deadline', 'realtime'], false) },
        { name: 'f.ts', bytes: videoBytes('f.ts') },
      ];
      const names = copies.map(({ name }) => name);
      for (const { name, bytes } of copies) writeFileSync(path(name), bytes.subarray(0, bytes.length / 2));
      start(['start', '--home', home]);
      await waitForAnother();
      expect(status().jobs.map(({ file }) => file)).toEqual(['lanczos-2x/another.mkv']);
      expect(status().rejected).toEqual([]);
      expect(status().waiting.map(({ file }) => file)).toEqual(names.map((name) => `lanczos-2x/${name}`));
      expect(filesBelow(path('')).sort()).toEqual(names);
      for (const { name, bytes } of copies) appendFileSync(path(name), bytes.subarray(bytes.length / 2));
      for (const name of names) await isDone(name);
      const published = filesBelow(join(home, 'output/lanczos-2x')).filter((name) => /^[a-f]\./.test(name));
      for (const name of published)
        expect(frameMd5(join(home, 'output/lanczos-2x', name)), name).toHaveLength(FRAMES);
      expect(published).toHaveLength(names.length);
      expect(filesBelow(path(''))).toEqual([]);
    },
  );

  test(
    'is not moved to quarantine before the second look, and not while it is open for writing',
    { tags: ['slow'], timeout: 120_000 },
    async () => {
      const { home, path, status, hasLogged, waitForAnother } = setUp(
        'intake: { settleSeconds: 0.2, rescanSeconds: 1, rejected: quarantine }\n',
      );
      start(['start', '--home', home]);
      const bytes = videoBytes('clip.mp4');
      const half = bytes.subarray(0, bytes.length / 2);
      const writer = openWriter(path('clip.mp4'));
      writer.write(half);
      await hasLogged(/clip\.mp4 waiting: process \d+ \(cat\)/);
      await waitForAnother();
      expect(status().rejected).toEqual([]);
      writer.close();
      await hasLogged(/clip\.mp4 moved to quarantine/);
      expect(readFileSync(join(home, 'quarantine/clip.mp4')).equals(half)).toBe(true);
      expect(readLog(home)).toMatch(/clip\.mp4 waiting: may be incomplete/);
    },
  );

  test(
    'that has holes gets its second look before its job is rejected and it is moved to quarantine',
    { tags: ['slow'], timeout: 240_000 },
    async () => {
      // As another machine writes it over the network: allocated and not sparse, its last part first, no writer to be seen.
      const { home, path, status, hasLogged, output } = setUp(
        `${SLOW.slice(0, -3)}, rejected: quarantine }\n`,
      );
      const fastStart = ['-c:v', 'libx264', '-g', '4', '-movflags', '+faststart'];
      const large = { width: 160, height: 120, frames: FRAMES, audio: false };
      const whole = readFileSync(
        makeClip(join(temporaryFolder(), 'clip.mp4'), { ...large, encoder: fastStart }),
      );
      const media = whole.indexOf('mdat') + 4;
      const holes = Buffer.from(whole).fill(0, media, whole.length - 4200);
      writeFileSync(path('clip.mp4'), holes);
      start(['start', '--home', home]);
      await hasLogged(/clip\.mp4 may be incomplete \((NO_DECODABLE_FRAME|DAMAGED): /);
      const file = openSync(path('clip.mp4'), 'r+');
      writeSync(file, whole);
      closeSync(file);
      await expect.poll(() => existsSync(output('clip.mp4')), { timeout: 60_000 }).toBe(true);
      expect(frameMd5(output('clip.mp4'))).toHaveLength(FRAMES);
      expect(filesBelow(join(home, 'quarantine'))).toEqual([]);
      expect(status().rejected).toEqual([]);
    },
  );

  test('--once waits for the rest of it', { tags: ['slow'], timeout: 120_000 }, async () => {
    const { home, path, hasLogged, output } = setUp(SLOW);
    const bytes = videoBytes('clip.mp4');
    const half = Math.floor(bytes.length / 2);
    writeFileSync(path('clip.mp4'), bytes.subarray(0, half));
    const { ended } = start(['start', '--once', '--home', home]);
    await hasLogged(/clip\.mp4 waiting: may be incomplete/);
    appendFileSync(path('clip.mp4'), bytes.subarray(half));
    expect(await ended).toBe(0);
    expect(frameMd5(output('clip.mp4'))).toHaveLength(FRAMES);
  });
});

test(
  'after the second look, what is left of a video is processed, and what is no video is rejected',
  { tags: ['slow'], timeout: 120_000 },
  async () => {
    const { home, path, status } = setUp(QUICK);
    for (const name of ['half.mkv', 'half.mp4', 'live.ts', 'live.mkv']) {
      const live = name === 'live.mkv' ? ['-c:v', 'libx264', '-f', 'matroska', '-live', '1'] : undefined;
      const bytes = videoBytes(name, live);
      writeFileSync(path(name), name.startsWith('half') ? bytes.subarray(0, bytes.length * 0.8) : bytes);
    }
    expect(await start(['start', '--once', '--home', home]).ended).toBe(1);
    const { jobs, rejected, waiting } = status();
    expect(jobs.map(({ file, state }) => `${file} ${state}`).sort()).toEqual([
      'lanczos-2x/half.mkv done',
      'lanczos-2x/live.mkv done',
      'lanczos-2x/live.ts done',
    ]);
    expect(rejected).toMatchObject([{ file: 'lanczos-2x/half.mp4', code: 'NOT_A_VIDEO' }]);
    expect(waiting).toEqual([]);
  },
);

test('a sidecar that is huge, nested without end or full of aliases is named, and the daemon keeps running', async () => {
  const { home, path, status } = setUp(QUICK);
  const bytes = videoBytes('clip.mkv');
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x]',
    ...Array.from('bcdefghi').map((name, i) => {
      const before = 'abcdefghi'[i];
      return `${name}: &${name} [${Array(9).fill(`*${before}`).join(',')}]`;
    }),
  ].join('\n');
  const sidecars = {
    huge: 'scale: 2\n' + '# a long comment\n'.repeat(1_500_000),
    aliases: bomb,
    nested: '['.repeat(60_000),
    keys: Array.from({ length: 8000 }, (_, i) => `k${i}: 1`).join('\n'),
    binary: Buffer.from([0xff, 0xfe, 0, 1, 2]),
  };
  for (const [name, text] of Object.entries(sidecars)) {
    copyFileSync(makeClip(join(temporaryFolder(), 'x.mkv'), { frames: 3, rate: '25' }), path(`${name}.mkv`));
    writeFileSync(path(`${name}.mkv.recipe.yaml`), text);
  }
  writeFileSync(path('good.mkv'), bytes);
  expect(await start(['start', '--once', '--home', home]).ended).toBe(1);
  const { jobs, rejected } = status();
  expect(jobs).toMatchObject([{ file: 'lanczos-2x/good.mkv', state: 'done' }]);
  expect(rejected.map(({ file, code }) => `${file} ${code}`)).toEqual(
    Object.keys(sidecars)
      .sort()
      .map((name) => `lanczos-2x/${name}.mkv BAD_RECIPE`),
  );
  for (const { file, message } of rejected) {
    expect(message).toContain(`${file.split('/')[1]}.recipe.yaml`);
    expect(message.length).toBeLessThan(1000);
  }
}, 120_000);

test('a pipe, a link and a text with a name that is not UTF-8 are named with the reason, once, and --once does not succeed', async () => {
  const { home, path, status } = setUp(QUICK);
  writeFileSync(path('good.mkv'), videoBytes('clip.mkv'));
  execFileSync('mkfifo', [path('pipe.mp4')]);
  execFileSync('mkfifo', [path('good.mkv.recipe.yaml')]);
  const elsewhere = temporaryFolder();
  writeFileSync(join(elsewhere, 'trip.mp4'), 'x');
  symlinkSync(join(elsewhere, 'trip.mp4'), path('link.mp4'));
  symlinkSync(elsewhere, path('album'));
  symlinkSync(join(elsewhere, 'gone'), path('disk'));
  symlinkSync('/etc/hostname', path('notes.txt'));
  const folder = Buffer.from(`${path('')}/`);
  writeFileSync(Buffer.concat([folder, Buffer.from('caf\xe9.txt', 'latin1')]), 'x');
  const odd = Buffer.concat([folder, Buffer.from('\xfcber', 'latin1')]);
  mkdirSync(odd);
  execFileSync('mkfifo', [path('pipe')]);
  renameSync(path('pipe'), Buffer.concat([odd, Buffer.from('/pipe')]));
  expect(await start(['start', '--once', '--home', home]).ended).toBe(1);
  const { jobs, rejected } = status();
  expect(jobs).toMatchObject([{ file: 'lanczos-2x/good.mkv', state: 'done' }]);
  expect(rejected.map(({ file, code }) => `${file.slice('lanczos-2x/'.length)} ${code}`).sort()).toEqual(
    [
      'album SYMBOLIC_LINK',
      'caf\\xe9.txt NOT_A_VIDEO',
      'disk SYMBOLIC_LINK',
      'link.mp4 SYMBOLIC_LINK',
      'notes.txt SYMBOLIC_LINK',
      'pipe.mp4 NOT_A_REGULAR_FILE',
      '\\xfcber/pipe NOT_A_REGULAR_FILE',
    ].sort(),
  );
  expect(readLog(home).match(/ rejected \(/g)).toHaveLength(7);
  expect(readLog(home)).toMatch(/7 files rejected/);
}, 120_000);
