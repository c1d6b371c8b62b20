import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';
import { ffmpeg, frameMd5, makeClip } from '../helpers/clips.ts';
import { failPointFolder } from '../helpers/fail-points.ts';
import { makeHome, readLog, resumedFrames, run, start } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/* output.container: webm */

const SLOW = { tags: ['slow'], timeout: 240_000 };
const QUICK =
  'intake: { settleSeconds: 0.2, rescanSeconds: 1 }\nbatch: { firstFrames: 10, frames: 10 }\nworkspace: { memoryFraction: 0.05 }\nencoder: { preset: ultrafast }\noutput: { container: webm }\n';

function setUp(settings = QUICK) {
  const home = makeHome(temporaryFolder(), settings);
  return {
    home,
    source: (name: string) => join(home, 'input/lanczos-2x', name),
    output: (name: string) => join(home, 'output/lanczos-2x', name),
    finish: () => run(['start', '--once', '--home', home]).status,
  };
}

/** Codec and language of each stream of a file. */
function streamsOf(path: string): string[] {
  const entries = ['-show_entries', 'stream=codec_name:stream_tags=language', '-of', 'csv=p=0'];
  return execFileSync('ffprobe', ['-v', 'error', ...entries, path], { encoding: 'utf8' })
    .trim()
    .split('\n');
}

/** Timestamps in seconds of the frames of a video, and then their differences to the first one. */
function timesOf(path: string): number[] {
  const entries = ['-select_streams', 'v:0', '-show_entries', 'frame=pts_time', '-of', 'csv=p=0'];
  return execFileSync('ffprobe', ['-v', 'error', ...entries, path], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => Number.parseFloat(line))
    .filter((seconds) => !Number.isNaN(seconds));
}

test('WebM gets VP9, Opus and WebVTT, and every frame keeps its time', SLOW, () => {
  const { home, source, output, finish } = setUp();
  const plain = makeClip(join(temporaryFolder(), 'plain.mkv'), {
    frames: 30,
    filter: "setpts='N/25/TB+gte(N,20)*2/TB'",
  });
  const subtitles = join(temporaryFolder(), 'a.srt');
  writeFileSync(subtitles, '1\n00:00:00,100 --> 00:00:00,900\nHello\n');
  const inputs = ['-i', plain, '-i', subtitles, '-map', '0', '-map', '1'];
  ffmpeg(...inputs, '-c', 'copy', '-c:s', 'srt', '-metadata:s:a:0', 'language=deu', source('clip.mkv'));
  ffmpeg(...['-i', plain, '-c:v', 'copy', '-c:a', 'libvorbis', source('vorbis.mkv')]);
  expect(finish()).toBe(0);
  expect(streamsOf(output('clip.webm'))).toEqual(['vp9', 'opus,deu', 'webvtt']);
  expect(streamsOf(output('vorbis.webm'))).toEqual(['vp9', 'vorbis']);
  expect(readLog(home)).toMatch(/audio track 1 \(aac\) converted to opus: WebM does not support aac/);
  const [first = 0, ...times] = timesOf(output('clip.webm'));
  const [sourceFirst = 0, ...sourceTimes] = timesOf(source('clip.mkv'));
  expect(times).toHaveLength(29);
  for (const [i, time] of times.entries())
    expect(time - first).toBeCloseTo((sourceTimes[i] ?? NaN) - sourceFirst, 2);
});

test('a job resumes after a kill, and keeps its container when the setting changes', SLOW, async () => {
  const { home, source, output, finish } = setUp();
  makeClip(source('clip.mp4'), { frames: 40 });
  const points = failPointFolder(join(temporaryFolder(), 'points'));
  for (const at of ['commit-batch.committed 2', 'output.joined 1'] as const) {
    points.arm(`${at} kill-group`);
    await start(['start', '--once', '--home', home], points.environment).ended;
    writeFileSync(join(home, 'framekiln.yaml'), QUICK.replace('webm', 'mp4'));
  }
  expect(points.hasFired('output.joined')).toBe(true);
  expect(finish()).toBe(0);
  expect(resumedFrames(readLog(home))).toBe(40);
  expect(frameMd5(output('clip.webm'))).toHaveLength(40);
  expect(streamsOf(output('clip.webm'))).toEqual([
    expect.stringMatching(/^vp9/),
    expect.stringMatching(/^opus/),
  ]);
});

test('a job waits, with the reason, while ffmpeg lacks the encoder', async () => {
  const { home, source } = setUp();
  makeClip(source('clip.mp4'), { frames: 3 });
  const folder = temporaryFolder();
  const real = execFileSync('which', ['ffmpeg'], { encoding: 'utf8' }).trim();
  // A build of ffmpeg without libvpx.
  writeFileSync(
    join(folder, 'ffmpeg'),
    `#!/bin/sh\ncase "$*" in *libvpx-vp9*) echo "Unknown encoder 'libvpx-vp9'" >&2; exit 1;; esac\nexec ${real} "$@"\n`,
  );
  chmodSync(join(folder, 'ffmpeg'), 0o755);
  const path = { PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}` };
  start(['start', '--home', home], path);
  await expect
    .poll(() => readLog(home), { timeout: 60_000, interval: 100 })
    .toMatch(
      /WebM needs the encoder libvpx-vp9, which does not work in this ffmpeg \(Unknown encoder 'libvpx-vp9'\); install an ffmpeg that has it, or choose another output\.container/,
    );
}, 60_000);
