import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { outputColor } from '../../../src/media/decode/color-conversion.ts';
import { codecOf, type EncoderName } from '../../../src/media/encode/encoder-arguments.ts';
import { outputTiming } from '../../../src/media/encode/output-timing.ts';
import { muxOutput } from '../../../src/media/join/mux.ts';
import { segmentPackets } from '../../../src/media/join/segment-packets.ts';
import { planStreams } from '../../../src/media/join/stream-plan.ts';
import { verifyOutput } from '../../../src/media/verify/verify-output.ts';
import { ffmpeg, makeClip } from '../../helpers/clips.ts';
import { makeSegments, openMedia } from '../../helpers/media-steps.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const FRAMES = 24;
const settings = { crf: 18, preset: 'medium', threads: 2 };

/** A finished file of three segments, and what it must contain. */
async function finished(name = 'a.mp4', encoder: EncoderName = 'libx264') {
  const folder = temporaryFolder();
  const webm = { audio: false, encoder: ['-c:v', 'libvpx-vp9', '-deadline', 'realtime'] };
  const clip = { frames: FRAMES, ...(name.endsWith('.webm') ? webm : {}) };
  const opened = await openMedia(makeClip(join(folder, name), clip));
  const cuts = [8, 8, 8].map((frames, i) => ({ frames, encoder, settings: { ...settings, crf: 18 + i } }));
  const segmentPaths = await makeSegments(opened, folder, cuts);
  const { media: source, format, index } = opened;
  const plan = planStreams(source);
  const timing = outputTiming(index, source);
  const outputPath = join(folder, `out${plan.extension}`);
  const codec = codecOf(encoder);
  const shared = { source, timing, plan, captions: null };
  await muxOutput({ ...shared, segmentPaths, codec, encoderCount: 1, outputPath });
  const color = outputColor(source.video);
  const { sampleAspectRatio } = source.video;
  const expected = { ...shared, format, chroma: '420' as const, color, sampleAspectRatio, segmentPaths };
  return { folder, outputPath, expected };
}

test.each([
  ['MP4', 'a.mp4', 'libx264'],
  ['Matroska', 'a.mkv', 'libx264'],
  ['MOV', 'a.mov', 'libx265'],
  ['HEVC in Matroska', 'a.mkv', 'libx265'],
  ['VP9', 'a.mp4', 'libvpx-vp9'],
  ['WebM', 'a.webm', 'libvpx-vp9'],
] as const)('the packets of a finished file are those of its segments: %s', async (_, name, encoder) => {
  const { outputPath, expected } = await finished(name, encoder);
  await verifyOutput(outputPath, expected);
  const packets = await Promise.all(expected.segmentPaths.map(segmentPackets));
  expect(packets.map(({ length }) => length)).toEqual([8, 8, 8]);
  // A packet of VP9 that shows a frame again may occur twice.
  if (encoder !== 'libvpx-vp9') expect(new Set(packets.flat().map(({ hash }) => hash)).size).toBe(FRAMES);
});

test('a single wrong bit in the finished file is found', async () => {
  const { folder, outputPath, expected } = await finished();
  const bytes = readFileSync(outputPath);
  // The last bytes of the file belong to the last packets of the video, because the clip has no audio.
  bytes.writeUInt8((bytes.at(-20) ?? 0) ^ 1, bytes.length - 20);
  const damaged = join(folder, 'damaged.mp4');
  writeFileSync(damaged, bytes);
  await expect(verifyOutput(damaged, expected)).rejects.toThrow(/has other bytes in packet \d+ than 2\.mp4/);
});

test('segments in the wrong place are found', async () => {
  const { outputPath, expected } = await finished();
  const [first = '', second = '', third = ''] = expected.segmentPaths;
  await expect(
    verifyOutput(outputPath, { ...expected, segmentPaths: [first, third, second] }),
  ).rejects.toThrow(/has other bytes in packet 8 than 2\.mp4/);
  await expect(verifyOutput(outputPath, { ...expected, segmentPaths: [first, second] })).rejects.toThrow(
    /has 24 packets instead of 16/,
  );
});

test('two frames in each other’s place are found', async () => {
  const { folder, outputPath, expected } = await finished();
  const swapped = join(folder, 'swapped.mp4');
  const swap = "setts=dts=DTS:pts='if(eq(N,1),NEXT_PTS,if(eq(N,2),PREV_INPTS,PTS))'";
  const timescale = String(expected.timing.timescale);
  const times = ['-video_track_timescale', timescale, '-movie_timescale', timescale];
  ffmpeg('-i', outputPath, '-map', '0', '-c', 'copy', '-bsf:v', swap, ...times, swapped);
  await expect(verifyOutput(swapped, expected)).rejects.toThrow(
    /shows packet 1 of its video at .* instead of/,
  );
});

test('a finished file whose keyframes cannot be decoded is found, even if its packets are right', async () => {
  const { folder, outputPath, expected } = await finished();
  // The same damage in the second segment and in the finished file: the first slice of a keyframe.
  const segments = expected.segmentPaths.map((path) => join(folder, `damaged-${path.split('/').at(-1)}`));
  for (const [i, path] of segments.entries()) copyFileSync(expected.segmentPaths[i] ?? '', path);
  const damaged = join(folder, 'damaged.mp4');
  const segment = readFileSync(segments[1] ?? '');
  const at = segment.indexOf('mdat') + 4;
  const keyframe = segment.subarray(at, at + 200);
  const whole = readFileSync(outputPath);
  const place = whole.indexOf(keyframe);
  expect(place).toBeGreaterThan(0);
  segment.fill(0xff, at + 4, at + 200);
  writeFileSync(segments[1] ?? '', segment);
  whole.fill(0xff, place + 4, place + 200);
  writeFileSync(damaged, whole);
  await expect(verifyOutput(damaged, { ...expected, segmentPaths: segments })).rejects.toThrow(
    /cannot be decoded|keyframes instead of/,
  );
});
