// @module-tag slow
import { readFileSync, writeFileSync } from 'node:fs';
import { join, parse } from 'node:path';
import { expect, test } from 'vitest';
import {
  assertTimestampsIncrease,
  countUnordered,
} from '../../../src/media/index/timestamp-discontinuities.ts';
import { ffmpeg, makeClip } from '../../helpers/clips.ts';
import { makeHome, readLog, run, start } from '../../helpers/framekiln.ts';
import { openMedia } from '../../helpers/media-steps.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

/** Concatenates two recordings byte for byte, as an interrupted recorder does. */
function concatenate(path: string, first: string, second: string): void {
  writeFileSync(path, Buffer.concat([readFileSync(first), readFileSync(second)]));
}

/** Timestamps of the frames, and of the start and end of the audio, in seconds since the first frame. */
function times(path: string): { video: number[]; audio: [number, number] } {
  const read = (stream: string) =>
    ffmpeg('-copyts', '-i', path, '-map', `0:${stream}`, ...PASSTHROUGH)
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => Number(line.split(',')[2]) / 90_000);
  const [video, audio] = [read('v:0'), read('a:0')];
  const first = video[0] ?? NaN;
  return {
    video: video.map((at) => at - first),
    audio: [(audio[0] ?? NaN) - first, (audio.at(-1) ?? NaN) - first],
  };
}
const PASSTHROUGH = ['-fps_mode', 'passthrough', '-enc_time_base', '1/90000', '-f', 'framehash', '-'];

test('timestamp discontinuities are remuxed to one timeline with audio in sync, and logged', async () => {
  const folder = temporaryFolder();
  const home = makeHome(join(folder, 'home'));
  const input = join(home, 'input/lanczos-2x');
  const [a, late, old] = ['a.ts', 'late.ts', 'old.mpg'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const twoSeconds = (path: string, ...encoder: string[]) =>
    ffmpeg(
      ...['-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=25:duration=2'],
      ...['-f', 'lavfi', '-i', 'sine=duration=2', '-pix_fmt', 'yuv420p', '-bf', '2', ...encoder, path],
    );
  twoSeconds(a, '-c:v', 'libx264', '-preset', 'veryfast', '-c:a', 'aac');
  twoSeconds(old, '-c:v', 'mpeg2video', '-c:a', 'mp2', '-f', 'vob');
  ffmpeg('-itsoffset', '1000', '-i', a, '-c', 'copy', '-copyts', late);
  concatenate(join(input, 'back.ts'), a, a);
  concatenate(join(input, 'far-back.ts'), late, a);
  concatenate(join(input, 'forth.ts'), a, late);
  concatenate(join(input, 'old.mpg'), old, old);
  // The 33-bit timestamps at 90 kHz wrap around after 26.5 hours; that is not a discontinuity.
  ffmpeg('-i', a, '-c', 'copy', '-copyts', '-output_ts_offset', '95442.7', join(input, 'wrap.ts'));
  expect(await start(['start', '--once', '--home', home]).ended).toBe(0);
  for (const name of ['back.ts', 'far-back.ts', 'forth.ts', 'old.mpg']) {
    const { video, audio } = times(join(home, 'output/lanczos-2x', `${parse(name).name}.mkv`));
    expect([name, video.length]).toEqual([name, 100]);
    const steps = video.slice(1).map((at, frame) => at - (video[frame] ?? 0));
    expect(Math.min(...steps)).toBeGreaterThan(0.03);
    // Between the parts, ffmpeg leaves a gap of up to one more frame.
    expect(Math.max(...steps)).toBeLessThan(0.085);
    expect(Math.abs(audio[0])).toBeLessThan(0.08);
    expect(Math.abs(audio[1] - (video.at(-1) ?? NaN))).toBeLessThan(0.08);
  }
  expect(times(join(home, 'output/lanczos-2x/wrap.mkv')).video).toHaveLength(50);
  const log = readLog(home);
  expect(
    log.match(/timestamp discontinuities in the source; remuxed onto one continuous timeline/g),
  ).toHaveLength(4);
  expect(log).toMatch(/back\.ts has 1 timestamp discontinuity: a jump from 3\.\d+ s to 1\.\d+ s/);
  expect(run(['status', '--json', '--home', home]).stdout).toContain('"state": "done"');
}, 120_000);

test('frames without increasing timestamps are rejected', async () => {
  const path = join(temporaryFolder(), 'stuck.mkv');
  makeClip(path, { audio: false, filter: "settb=1/1000,setpts='if(lt(N,20),N*40,20*40)'" });
  const { media, index } = await openMedia(path);
  expect(countUnordered(index)).toBeGreaterThan(20);
  expect(() => assertTimestampsIncrease(media, index)).toThrow(
    /^stuck\.mkv has more than 10 frames in a row whose timestamps do not increase/,
  );
  const fine = await openMedia(makeClip(join(temporaryFolder(), 'fine.mkv')));
  expect(countUnordered(fine.index)).toBe(0);
  assertTimestampsIncrease(fine.media, fine.index);
});
