import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { AudioShiftedError } from '../../../src/domain/errors.ts';
import { assertDecodable, assessDamage } from '../../../src/media/index/damage.ts';
import { withoutUnmuxable } from '../../../src/media/join/find-unmuxable.ts';
import { indexFrames } from '../../../src/media/index/frame-index.ts';
import { probeMedia } from '../../../src/media/probe/probe-media.ts';
import { muxOutput } from '../../../src/media/join/mux.ts';
import { readPacketTimes } from '../../../src/media/index/packet-times.ts';
import { planStreams, withShifts } from '../../../src/media/join/stream-plan.ts';
import { verifyOutput } from '../../../src/media/verify/verify-output.ts';
import { whyDrifting } from '../../../src/media/verify/verify-audio.ts';
import { ffmpeg, makeClip } from '../../helpers/clips.ts';
import { LIMITS, openMedia, passThrough } from '../../helpers/media-steps.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const clip = (folder: string, name = 'a.mkv') =>
  makeClip(join(folder, name), { frames: 100, width: 128, height: 96 });

describe('damage', () => {
  test('an intact file has no damage', async () => {
    const { media, index } = await openMedia(clip(temporaryFolder()));
    expect(assessDamage(media, index)).toEqual({ share: 1, sentence: null });
    expect(index).toMatchObject({ packetCount: 100, decoderErrorCount: 0 });
  });

  test('a truncated file is decoded as far as possible or rejected, depending on limits.decodableShare', async () => {
    const folder = temporaryFolder();
    const path = clip(folder);
    truncateSync(path, Math.floor(readFileSync(path).length / 2));
    const { media, index } = await openMedia(path);
    const damage = assessDamage(media, index);
    expect(index.pts.length).toBeGreaterThan(20);
    expect(damage.share).toBeLessThan(0.8);
    expect(damage.sentence).toMatch(/the video ends after [\d.]+ s instead of 4\.0 s/);
    expect(() => assertDecodable(media, damage, 0.2)).not.toThrow();
    expect(() => assertDecodable(media, damage, 0.9)).toThrow(
      /^a\.mkv is too damaged \(.*\): \d\d % can be decoded, but limits\.decodableShare requires 90 %\.$/,
    );
  });

  test('corrupt bytes in the middle are counted as decoder errors', async () => {
    const folder = temporaryFolder();
    const path = clip(folder);
    const bytes = readFileSync(path);
    for (let i = Math.floor(bytes.length / 2); i < bytes.length * 0.7; i += 40)
      bytes[i] = 255 - (bytes[i] ?? 0);
    writeFileSync(path, bytes);
    const { media, index } = await openMedia(path);
    expect(index.decoderErrorCount).toBeGreaterThan(0);
    expect(assessDamage(media, index).sentence).toMatch(/the decoder reported \d+ errors?/);
  });
});

describe('limits are enforced while decoding', () => {
  test.each([
    ['more frames per second than allowed', "settb=1/90000,setpts='N*90'", 'framesPerSecond'],
    ['a century between two frames', "settb=1/1000,setpts='N*1000000'", 'hours'],
  ])('%s', async (_, filter, limit) => {
    const path = makeClip(join(temporaryFolder(), 'bomb.mp4'), {
      ...{ frames: 400, audio: false, width: 16, height: 16, filter },
      encoder: ['-c:v', 'libx264', '-preset', 'ultrafast', '-video_track_timescale', '90000'],
    });
    const media = await probeMedia(path, LIMITS);
    const rejected = indexFrames(media, { limits: LIMITS });
    await expect(rejected).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    await expect(rejected).rejects.toThrow(`limits.${limit}`);
  });
});

test('an audio track that the container does not support is dropped, with the error of ffmpeg as the reason', async () => {
  const folder = temporaryFolder();
  const path = clip(folder, 'a.mp4');
  const media = await probeMedia(path, LIMITS);
  const plan = planStreams(media);
  expect((await withoutUnmuxable(media, plan, join(folder, 'trial'))).fates).toEqual(plan.fates);
  // The same audio in a codec that MP4 does not support.
  const raw = join(folder, 'raw.mkv');
  ffmpeg('-i', path, '-c:v', 'copy', '-c:a', 'pcm_f64le', raw);
  const other = await probeMedia(raw, LIMITS);
  const asMp4 = { ...planStreams(other), container: 'mp4' as const };
  expect((await withoutUnmuxable(other, asMp4, join(folder, 'trial'))).fates).toMatchObject([
    { codec: null, reason: expect.stringMatching(/^cannot be copied \(.*pcm_f64le/) as string },
  ]);
});

test('audio out of sync is detected, with the shift that corrects it', async () => {
  const folder = temporaryFolder();
  const { outputPath, opened, segmentPaths, expected } = await passThrough(clip(folder, 'a.mp4'), folder);
  const { media: source } = opened;
  const index = source.others[0]?.index ?? -1;
  // A bit stream filter that delays the track.
  const fates = expected.plan.fates.map((fate) => ({ ...fate, filter: 'setts=ts=TS+0.2/TB' }));
  const late = { ...expected.plan, fates };
  const job = {
    source,
    segmentPaths,
    timing: expected.timing,
    codec: 'h264' as const,
    encoderCount: 1,
    captions: null,
    outputPath,
  };
  await muxOutput({ ...job, plan: late });
  const failure = await verifyOutput(outputPath, expected).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(AudioShiftedError);
  if (!(failure instanceof AudioShiftedError)) return;
  expect(failure.message).toMatch(
    / plays audio track 1 out of sync \(it starts (199|200|201) ms too late\)\.$/,
  );
  expect(failure.shifts.get(index)).toBeCloseTo(-0.2, 3);
  // Like the worker: mux again with the shifts.
  await muxOutput({ ...job, plan: withShifts(late, failure.shifts) });
  await verifyOutput(outputPath, expected);
  // Moving a track does not help if it starts in sync but ends out of sync.
  expect(whyDrifting([0.01, -0.06, -0.06])).toBe('ends 60 ms too early');
  expect(whyDrifting([0.04, -0.04, 0.04])).toBeNull();
  expect(whyDrifting([0, 0, 15])).toBe('is up to 15000 ms late in places');
});

test('a damaged audio packet in a transport stream loses that packet, not the track', async () => {
  const folder = temporaryFolder();
  const path = clip(folder, 'a.ts');
  const bytes = readFileSync(path);
  // ADTS header in the middle of the audio (ISO/IEC 13818-7, 6.2): MPEG-4 AAC, 44.1 kHz, mono.
  const header = bytes.indexOf(Buffer.from([0xff, 0xf1, 0x50, 0x40]), Math.floor(bytes.length / 2));
  expect(header).toBeGreaterThan(0);
  bytes[header + 1] = 0x31;
  writeFileSync(path, bytes);
  const { outputPath } = await passThrough(path, folder);
  const audioOf = (file: string) => readPacketTimes(file, new Set([1]));
  const [before, after] = [await audioOf(path), await audioOf(outputPath)];
  expect(after.get(1)?.count).toBeGreaterThan(50);
  expect((before.get(1)?.count ?? 0) - (after.get(1)?.count ?? 0)).toBeLessThan(4);
});

test('an empty audio track is dropped', async () => {
  const folder = temporaryFolder();
  const path = clip(folder, 'a.mp4');
  const bytes = readFileSync(path);
  // Sample count (ISO/IEC 14496-12, 8.7.3.2) of the second track, the audio.
  const sizes = bytes.indexOf('stsz', bytes.indexOf('stsz') + 4);
  bytes.writeUInt32BE(0, sizes + 12);
  writeFileSync(path, bytes);
  const media = await probeMedia(path, LIMITS);
  expect((await withoutUnmuxable(media, planStreams(media), join(folder, 'trial'))).fates).toMatchObject([
    { codec: null, reason: 'empty track' },
  ]);
});
