import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { renameIfFree } from '../../src/workspace/durable-file.ts';
import { frameMd5, makeClip } from '../helpers/clips.ts';
import { mayMountExfat, mountExfat } from '../helpers/exfat.ts';
import { failPointFolder } from '../helpers/fail-points.ts';
import { faultyFfmpeg } from '../helpers/faulty-ffmpeg.ts';
import { filesBelow, makeHome, readLog, run, start } from '../helpers/framekiln.ts';
import { HOME_ID } from '../helpers/identified-home.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/* An output folder on a memory card: FAT and exFAT have no hard links, no `:` in names, no case in names (promise 37). */

const SETTINGS =
  'intake: { settleSeconds: 0.2 }\nbatch: { firstFrames: 10, frames: 20 }\nworkspace: { memoryFraction: 0.05 }\n';
const FRAMES = 6;

function newClip(home: string, name: string, width = 32): void {
  const path = join(home, 'input/lanczos-2x', name);
  mkdirSync(join(path, '..'), { recursive: true });
  makeClip(path, { width, height: 32, frames: FRAMES, audio: false });
}

/** A home with `output/` as a link to a memory card. */
function homeWithCard() {
  const root = temporaryFolder();
  const card = join(temporaryFolder(), 'card');
  mountExfat(temporaryFolder(), card);
  symlinkSync(card, join(root, 'output'));
  const home = makeHome(root, SETTINGS);
  const output = join(card, 'lanczos-2x');
  const once = () => {
    const { status, stdout, stderr } = run(['start', '--once', '--home', home]);
    expect(status, stdout + stderr).toBe(0);
  };
  return { home, output, once };
}

/** A program in front of which every link(2) fails, as on FAT. */
function withoutLinks(args: readonly string[]): [string, string[]] {
  const inject = [
    '-f',
    '-qq',
    '-o',
    '/dev/null',
    '-e',
    'trace=link,linkat',
    '-e',
    'inject=link,linkat:error=EPERM',
  ];
  return ['strace', [...inject, process.execPath, ...args]];
}

describe.runIf(mayMountExfat())('on exFAT (needs root, loop devices, exfatprogs and an exFAT driver)', () => {
  test('videos are published under names that it accepts, and none replaces a file', () => {
    const { home, output, once } = homeWithCard();
    newClip(home, 'trip: 1/a<b>:c?.mp4', 40);
    newClip(home, 'Clip.mp4');
    newClip(home, 'clip.mp4', 48);
    newClip(home, 'x.mp4', 64);
    mkdirSync(output, { recursive: true });
    writeFileSync(join(output, 'X.MP4'), 'holiday');
    once();
    expect(filesBelow(output).sort()).toEqual(
      ['Clip.mp4', 'X.MP4', 'clip (2).mp4', 'trip_ 1/a_b__c_.mp4', 'x (2).mp4'].sort(),
    );
    expect(readFileSync(join(output, 'X.MP4'), 'utf8')).toBe('holiday');
    for (const name of filesBelow(output).filter((each) => each !== 'X.MP4'))
      expect(frameMd5(join(output, name)), name).toHaveLength(FRAMES);
    expect(readLog(home)).toMatch(
      /does not accept trip: 1\/a<b>:c\?\.mp4; the output will be trip_ 1\/a_b__c_\.mp4/,
    );
  });

  test('of two files that get one name at the same time, one stays', async () => {
    const { output } = homeWithCard();
    mkdirSync(output, { recursive: true });
    for (let i = 0; i < 20; i++) {
      const names = ['a', 'b'].map((name) => join(output, `${name}${i}`));
      const to = join(output, `to${i}`);
      for (const name of names) writeFileSync(name, name);
      // Two homes share the folder.
      const results = await Promise.allSettled(
        names.map((name, home) => renameIfFree(name, to, `${home}${HOME_ID}`)),
      );
      expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    }
    expect(readdirSync(output)).toHaveLength(40);
  });

  test(
    'a kill while a video gets its name leaves no other file than the video',
    { tags: ['slow'] },
    async () => {
      const { home, output, once } = homeWithCard();
      const points = failPointFolder(join(temporaryFolder(), 'points'));
      newClip(home, 'x.mp4');
      points.arm('placeholder.made 1 kill-group');
      await start(['start', '--once', '--home', home], points.environment).ended;
      expect(points.hasFired('placeholder.made')).toBe(true);
      expect(readFileSync(join(output, 'x.mp4'), 'utf8')).toMatch(
        /^Framekiln \(\w+\) has reserved this name/,
      );
      once();
      expect(filesBelow(output)).toEqual(['x.mp4']);
      expect(frameMd5(join(output, 'x.mp4'))).toHaveLength(FRAMES);
    },
  );
});

test(
  'without hard links a video is published, and a file that comes at the last moment stays',
  { tags: ['slow'] },
  () => {
    const home = makeHome(temporaryFolder(), SETTINGS);
    newClip(home, 'x.mp4');
    mkdirSync(join(home, 'output/lanczos-2x'), { recursive: true });
    writeFileSync(join(home, 'output/lanczos-2x/x.mp4'), 'holiday');
    const [program, args] = withoutLinks([
      join(import.meta.dirname, '../../dist/main.js'),
      'start',
      '--once',
      '--home',
      home,
    ]);
    execFileSync(program, args, { stdio: 'pipe', timeout: 120_000 });
    expect(filesBelow(join(home, 'output/lanczos-2x')).sort()).toEqual(['x (2).mp4', 'x.mp4']);
    expect(readFileSync(join(home, 'output/lanczos-2x/x.mp4'), 'utf8')).toBe('holiday');
    expect(frameMd5(join(home, 'output/lanczos-2x/x (2).mp4'))).toHaveLength(FRAMES);
  },
);

test(
  'a video that is too large for the file system fails its job at once, with the reason and what to do',
  { tags: ['slow'] },
  () => {
    const home = makeHome(temporaryFolder(), SETTINGS);
    newClip(home, 'x.mp4', 320);
    // The kernel reports EFBIG to a program that ignores SIGXFSZ.
    const path = faultyFfmpeg(
      temporaryFolder(),
      '/output/lanczos-2x/.framekiln-',
      `trap '' XFSZ; exec prlimit --fsize=4096 "$real" "$@"`,
    );
    const once = (environment = {}) => run(['start', '--once', '--home', home], environment).status;
    expect(once({ PATH: path })).toBe(1);
    const { jobs } = JSON.parse(run(['status', '--json', '--home', home]).stdout) as {
      jobs: { error: { code: string; message: string } }[];
    };
    expect(jobs[0]?.error.code).toBe('OUTPUT_TOO_LARGE');
    expect(jobs[0]?.error.message).toMatch(
      /^The file that ffmpeg writes while muxing x\.mp4 is too large for its file system \(FAT32 allows 4 GiB at most\); make output\/ a link to another disk/,
    );
    run(['retry', '1', '--home', home]);
    expect(once()).toBe(0);
    expect(frameMd5(join(home, 'output/lanczos-2x/x.mp4'))).toHaveLength(FRAMES);
  },
);
