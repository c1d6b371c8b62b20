// @module-tag slow
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { verifyOutput } from '../../../src/media/verify/verify-output.ts';
import { ffmpeg } from '../../helpers/clips.ts';
import { makeHome, readLog, start } from '../../helpers/framekiln.ts';
import { passThrough } from '../../helpers/media-steps.ts';
import { sharedMedia, whyNoSharedMedia } from '../../helpers/shared-media.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

/** Seconds of every frame of the video and of the audio since the first frame of the video. */
function times(path: string, clock: readonly string[] = ['-copyts']): { video: number[]; audio: number[] } {
  const read = (stream: string) =>
    ffmpeg(...clock, '-i', path, '-map', `0:${stream}`, ...PASSTHROUGH)
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => Number(line.split(',')[2]) / 90_000);
  const [video, audio] = [read('v:0'), read('a:0')];
  const first = video[0] ?? NaN;
  return { video: video.map((at) => at - first), audio: audio.map((at) => at - first) };
}
const PASSTHROUGH = ['-fps_mode', 'passthrough', '-enc_time_base', '1/90000', '-f', 'framehash', '-'];

function expectSameTimes(found: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(found).toHaveLength(expected.length);
  const worst = Math.max(...found.map((at, i) => Math.abs(at - (expected[i] ?? NaN))));
  expect(worst).toBeLessThan(tolerance);
}

/** Seconds of the stalls below: more than what ffmpeg takes for a discontinuity. */
const STALL = 15;

/** Filter that adds the stall to the timestamps of the second half of a stream. */
const LATER = `if(gte(DTS,220000),${STALL * 90_000},0)`;
const STALLED = `setts=pts='PTS+${LATER}':dts='DTS+${LATER}'`;

const IMAGE = ['-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=25'];
const TONE = ['-f', 'lavfi', '-i', 'sine'];
const VIDEO = ['-pix_fmt', 'yuv420p', '-c:v', 'libx264', '-preset', 'veryfast', '-bf', '2'];
const CODECS = [...VIDEO, '-c:a', 'mp2'];

function plainClip(folder: string): string {
  const path = join(folder, 'plain.ts');
  ffmpeg(...IMAGE, ...TONE, '-t', '2', ...CODECS, '-g', '10', path);
  return path;
}

/** A clip whose video has no frames from second 1 to second 16, while its audio goes on. */
function stallingVideo(folder: string): string {
  const path = join(folder, 'video-stalls.ts');
  const jump = `setpts='(N+if(gte(N,25),${STALL * 25},0))/25/TB'`;
  ffmpeg(...IMAGE, ...TONE, '-t', '18', '-vf', `trim=end_frame=75,${jump}`, ...CODECS, path);
  return path;
}

function stallingAudio(folder: string): string {
  const path = join(folder, 'audio-stalls.ts');
  ffmpeg(...IMAGE, ...TONE, '-t', '17', '-af', 'aselect=lt(t\\,1)+gte(t\\,16)', ...CODECS, path);
  return path;
}

function bothStalling(folder: string): string {
  const path = join(folder, 'both-stall.ts');
  const copy = ['-copyts', '-i', plainClip(folder), '-c', 'copy', '-muxdelay', '0', '-muxpreload', '0'];
  ffmpeg(...copy, '-bsf:v', STALLED, '-bsf:a', STALLED, path);
  return path;
}

/** A copy of a clip that starts at another time. */
function startingAt(seconds: number, path: string): string {
  const moved = path.replace(/\.ts$/, `-at-${seconds}.ts`);
  ffmpeg('-copyts', '-i', path, '-c', 'copy', '-output_ts_offset', String(seconds), moved);
  return moved;
}

/** Concatenates recordings byte for byte, as an interrupted recorder does. */
function concatenation(name: string, parts: readonly string[]): string {
  const path = join(dirname(parts[0] ?? ''), name);
  writeFileSync(path, Buffer.concat(parts.map((part) => readFileSync(part))));
  return path;
}

/** Processes videos with the real program. @returns the log, and the times in the result of a video */
async function processed(folder: string, paths: readonly string[]) {
  const home = makeHome(join(folder, 'home'));
  for (const path of paths) copyFileSync(path, join(home, 'input/lanczos-2x', basename(path)));
  expect(await start(['start', '--once', '--home', home]).ended).toBe(0);
  const result = (path: string) =>
    times(join(home, 'output/lanczos-2x', basename(path).replace(/ts$/, 'mkv')));
  return { log: readLog(home), result };
}

test('a stream that stalls longer than 10 s keeps every frame at its time beside the other stream', async () => {
  const folder = temporaryFolder();
  const video = stallingVideo(folder);
  // The 33-bit timestamps wrap around in the gap. Before that, the clip has the same times.
  const wrapping = startingAt(95_435.7, video);
  const cases = [
    { path: video, like: video, stalls: true },
    { path: wrapping, like: video, stalls: true },
    { path: stallingAudio(folder), like: join(folder, 'audio-stalls.ts'), stalls: false },
    { path: bothStalling(folder), like: join(folder, 'both-stall.ts'), stalls: true },
  ];
  const { log, result } = await processed(
    folder,
    cases.map(({ path }) => path),
  );
  for (const { path, like, stalls } of cases) {
    const [source, found] = [times(like), result(path)];
    expectSameTimes(found.video, source.video, 0.0015);
    expectSameTimes(found.audio, source.audio, 0.0015);
    const steps = found.video.slice(1).map((at, frame) => at - (found.video[frame] ?? 0));
    expect([path, Math.max(...steps) >= STALL]).toEqual([path, stalls]);
  }
  expect(log).not.toContain('discontinuit');
}, 240_000);

test.skipIf(whyNoSharedMedia !== null)('everyday/gap.ts of the shared media has the same times', async () => {
  const path = sharedMedia('everyday/gap.ts');
  const { result } = await processed(temporaryFolder(), [path]);
  expectSameTimes(result(path).video, times(path).video, 0.0015);
  expectSameTimes(result(path).audio, times(path).audio, 0.0015);
});

test('a discontinuity of all streams beside gaps of one: the gaps stay, and the parts follow each other', async () => {
  const folder = temporaryFolder();
  const [plain, gap] = [plainClip(folder), stallingVideo(folder)];
  const late = startingAt(1000, plain);
  const cases = [
    { path: concatenation('gap-then-back.ts', [gap, plain]), parts: [gap, plain] },
    { path: concatenation('forth-then-gap.ts', [plain, late, gap]), parts: [plain, late, gap] },
  ];
  const { log, result } = await processed(
    folder,
    cases.map(({ path }) => path),
  );
  expect(log).toContain('gap-then-back.ts has 1 timestamp discontinuity');
  expect(log).toContain('forth-then-gap.ts has 2 timestamp discontinuities');
  for (const { path, parts } of cases) expectParts(result(path), parts);
}, 240_000);

/** Expects that a result shows clips one after the other, each with its own times of video and audio. */
function expectParts({ video, audio }: ReturnType<typeof times>, parts: readonly string[]): void {
  let [frame, packet, end] = [0, 0, 0];
  for (const part of parts) {
    const source = times(part);
    const shift = video[frame] ?? NaN;
    expect(shift).toBeGreaterThanOrEqual(end - 0.001);
    expect(shift).toBeLessThan(end + 0.1);
    const place = (at: number) => at + shift;
    expectSameTimes(video.slice(frame, frame + source.video.length), source.video.map(place), 0.0015);
    expectSameTimes(audio.slice(packet, packet + source.audio.length), source.audio.map(place), 0.0015);
    end = (video[frame + source.video.length - 1] ?? NaN) + 0.04;
    frame += source.video.length;
    packet += source.audio.length;
  }
  expect([frame, packet]).toEqual([video.length, audio.length]);
}

test('the verification compares with the timeline of the source, not with that of a copy', async () => {
  const folder = temporaryFolder();
  const path = stallingVideo(folder);
  const copy = join(folder, 'copy.ts');
  const pulled = `if(gte(PTS,1000000),${STALL * 90_000},0)`;
  ffmpeg(
    '-copyts',
    '-i',
    path,
    '-c',
    'copy',
    '-bsf:v',
    `setts=pts='PTS-${pulled}':dts='DTS-${pulled}'`,
    copy,
  );
  const { outputPath, expected } = await passThrough(copy, folder);
  await expect(verifyOutput(outputPath, { ...expected, original: { path, timeline: null } })).rejects.toThrow(
    / has frame \d+ at [\d.]+ s, but the source has it at [\d.]+ s/,
  );
});
