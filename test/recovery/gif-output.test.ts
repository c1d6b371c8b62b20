import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ffmpeg, makeClip } from '../helpers/clips.ts';
import { failPointFolder } from '../helpers/fail-points.ts';
import { filesBelow, makeHome, readLog, resumedFrames, run, start } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/* output.container: gif */

const SLOW = { tags: ['slow'], timeout: 240_000 };
const QUICK =
  'intake: { settleSeconds: 0.2, rescanSeconds: 1 }\nbatch: { firstFrames: 10, frames: 10 }\nworkspace: { memoryFraction: 0.05 }\nencoder: { preset: ultrafast }\noutput: { container: gif }\n';

function setUp() {
  const home = makeHome(temporaryFolder(), QUICK);
  return {
    home,
    source: (name: string) => join(home, 'input/lanczos-2x', name),
    output: (name: string) => join(home, 'output/lanczos-2x', name),
    finish: () => run(['start', '--once', '--home', home]).status,
  };
}

function probe(path: string, ...entries: string[]): string[] {
  const args = ['-v', 'error', ...entries, '-of', 'csv=p=0', path];
  return execFileSync('ffprobe', args, { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.replace(/,+$/, ''));
}

/** Time and duration of each frame in seconds. */
function framesOf(path: string): number[][] {
  return probe(path, '-show_entries', 'frame=pts_time,pkt_duration_time').map((line) =>
    line.split(',').map(Number),
  );
}

test('a video becomes a GIF with every frame at its time, and the report says what is left out', () => {
  const { home, source, output, finish } = setUp();
  makeClip(source('clip.mp4'), { frames: 24, rate: '30' });
  expect(finish()).toBe(0);
  const frames = framesOf(output('clip.gif'));
  expect(frames).toHaveLength(24);
  for (const [number, [time = NaN]] of frames.entries())
    expect(Math.abs(time - number / 30)).toBeLessThan(0.0051);
  expect(probe(output('clip.gif'), '-show_entries', 'stream=codec_name,width,height')).toEqual([
    'gif,128,96',
  ]);
  const psnr = ffmpeg(
    ...['-i', output('clip.gif'), '-i', source('clip.mp4')],
    ...[
      '-lavfi',
      '[1:v]scale=128:96[b];[0:v]format=yuv420p[a];[a][b]psnr=stats_file=-',
      '-f',
      'null',
      '/dev/null',
    ],
  );
  const least = Math.min(...[...psnr.matchAll(/psnr_avg:(\S+)/g)].map(([, db]) => Number(db)));
  expect(least).toBeGreaterThan(20);
  expect(readLog(home)).toMatch(/audio track 1 \(aac\) dropped: GIF does not support audio tracks/);
  expect(readLog(home)).toMatch(/colours reduced to a palette of 256 \(GIF\)/);
  expect(filesBelow(join(home, 'output'))).toEqual(['lanczos-2x/clip.gif']);
});

test('still frames and gaps are kept, and pixels become square', SLOW, () => {
  const { source, output, finish } = setUp();
  ffmpeg(
    ...['-f', 'lavfi', '-i', 'color=red:size=64x48:rate=25', '-frames:v', '12', '-fps_mode', 'passthrough'],
    ...['-vf', "setpts='N/25/TB+gte(N,6)*2/TB',setsar=2/1", '-pix_fmt', 'yuv420p', source('still.mp4')],
  );
  expect(finish()).toBe(0);
  const frames = framesOf(output('still.gif'));
  expect(frames.map(([time = NaN]) => Math.round(100 * time))).toEqual(
    Array.from({ length: 12 }, (_, frame) => 4 * frame + (frame >= 6 ? 200 : 0)),
  );
  expect(probe(output('still.gif'), '-show_entries', 'stream=width,height')).toEqual(['256,96']);
});

test('a job resumes after a kill, and leaves nothing behind', SLOW, async () => {
  const { home, source, output, finish } = setUp();
  makeClip(source('clip.mp4'), { frames: 40 });
  const points = failPointFolder(join(temporaryFolder(), 'points'));
  for (const at of ['commit-batch.committed 2', 'output.before-join 1', 'output.joined 1'] as const) {
    points.arm(`${at} kill-group`);
    await start(['start', '--once', '--home', home], points.environment).ended;
  }
  expect(points.hasFired('output.joined')).toBe(true);
  expect(finish()).toBe(0);
  expect(resumedFrames(readLog(home))).toBe(40);
  expect(framesOf(output('clip.gif'))).toHaveLength(40);
  expect(filesBelow(join(home, 'output'))).toEqual(['lanczos-2x/clip.gif']);
});

test('what GIF cannot hold is rejected before the first frame', SLOW, () => {
  const { home, source, finish } = setUp();
  makeClip(source('fast.mp4'), { frames: 30, rate: '60' });
  expect(finish()).toBe(1);
  expect(readLog(home)).toMatch(
    /OUTPUT_NOT_ALLOWED.*fast\.mp4 shows frame \d+ for less than 20 ms, the shortest time that players of GIF support; choose another output\.container/,
  );
  expect(filesBelow(join(home, 'output'))).toEqual([]);
});
