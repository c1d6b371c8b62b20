import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { assessDamage } from '../../../src/media/index/damage.ts';
import { claimedEndSeconds } from '../../../src/media/probe/claimed-end.ts';
import { probeMedia } from '../../../src/media/probe/probe-media.ts';
import { verifyOutput } from '../../../src/media/verify/verify-output.ts';
import { ffmpeg } from '../../helpers/clips.ts';
import { LIMITS, openMedia, passThrough } from '../../helpers/media-steps.ts';
import { sharedMedia, whyNoSharedMedia } from '../../helpers/shared-media.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

interface HeldClip {
  readonly name: string;
  readonly hold: number;
  readonly rate?: number;
  readonly bFrames?: number;
}

/** A clip of 20 frames whose last one is shown for `hold` seconds, with or without frames stored after the last one. */
function heldClip(folder: string, { name, hold, rate = 25, bFrames = 0 }: HeldClip): string {
  const path = join(folder, name);
  const image = ['-f', 'lavfi', '-i', `testsrc2=size=64x48:rate=${rate}`, '-frames:v', '20'];
  if (name.endsWith('.gif')) ffmpeg(...image, '-final_delay', String(hold * 100), path);
  else if (name.endsWith('.apng')) ffmpeg(...image, '-final_delay', String(hold), path);
  else {
    const plain = join(folder, 'plain.mp4');
    ffmpeg(...image, '-pix_fmt', 'yuv420p', '-bf', String(bFrames), '-video_track_timescale', '12000', plain);
    const end = Math.round((19 / rate + hold) * (name.endsWith('.mp4') ? 12_000 : 1000));
    const held = `setts=pts=PTS:dts=DTS:duration='if(eq(N,19),${end}-PTS,DURATION)'`;
    ffmpeg('-i', plain, '-c', 'copy', '-bsf:v', held, '-video_track_timescale', '12000', path);
  }
  return path;
}

/** Seconds for which a file shows its last frame, by its own container. */
async function holdOf(path: string): Promise<number> {
  const { media, index } = await openMedia(path);
  const { num, den } = index.timeBase;
  return (claimedEndSeconds(media) ?? NaN) - ((index.pts.at(-1) ?? NaN) * num) / den;
}

describe('the last frame is shown as long as in the source', () => {
  test.each<Required<HeldClip>>([
    { name: 'a.mp4', hold: 3, rate: 25, bFrames: 0 },
    { name: 'reordered.mp4', hold: 3, bFrames: 3, rate: 25 },
    { name: 'a.mkv', hold: 3, rate: 25, bFrames: 0 },
    { name: 'a.webm.mkv', hold: 0.5, bFrames: 3, rate: 25 },
    { name: 'a.gif', hold: 3, rate: 25, bFrames: 0 },
    { name: 'a.apng', hold: 3, rate: 25, bFrames: 0 },
    { name: 'fast.mp4', hold: 300, rate: 240, bFrames: 2 },
    { name: 'fast.mkv', hold: 300, rate: 240, bFrames: 0 },
  ])('$name, $hold s at $rate fps', async (clip) => {
    const folder = temporaryFolder();
    const { opened, outputPath } = await passThrough(heldClip(folder, clip), folder);
    const { index, media } = opened;
    expect((index.lastDuration * index.timeBase.num) / index.timeBase.den).toBeCloseTo(clip.hold, 2);
    expect(assessDamage(media, index)).toEqual({ share: 1, sentence: null });
    expect(index.pts).toHaveLength(20);
    expect(await holdOf(outputPath)).toBeCloseTo(clip.hold, 2);
  });

  test.skipIf(whyNoSharedMedia !== null).each([
    ['everyday/held.mp4', 25, 3.04],
    ['everyday/lastdelay.gif', 5, 3],
  ])('%s of the shared media', async (name, frames, hold) => {
    const { opened, outputPath } = await passThrough(sharedMedia(name), temporaryFolder());
    expect(opened.index.pts).toHaveLength(frames);
    expect(assessDamage(opened.media, opened.index).sentence).toBeNull();
    expect(await holdOf(outputPath)).toBeCloseTo(hold, 2);
  });
});

test('a finished file that shows its last frame too short fails the verification', async () => {
  const folder = temporaryFolder();
  const { outputPath, expected } = await passThrough(heldClip(folder, { name: 'a.mp4', hold: 3 }), folder);
  const short = join(folder, 'short.mp4');
  const cut = `setts=pts=PTS:dts=DTS:duration='min(DURATION,480)'`;
  ffmpeg('-i', outputPath, '-c', 'copy', '-bsf:v', cut, '-video_track_timescale', '12000', short);
  await expect(verifyOutput(short, expected)).rejects.toThrow(
    /short\.mp4 shows its last frame for 0\.\d+ s instead of 3\.000 s\.$/,
  );
});

test('audio that outlasts the video neither damages it nor holds its last frame', async () => {
  const path = join(temporaryFolder(), 'screen.mp4');
  const video = ['-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=25:duration=1'];
  ffmpeg(...video, '-f', 'lavfi', '-i', 'sine=duration=4', '-pix_fmt', 'yuv420p', '-c:a', 'aac', path);
  const { opened, outputPath } = await passThrough(path, temporaryFolder());
  expect(assessDamage(opened.media, opened.index).sentence).toBeNull();
  expect(await holdOf(outputPath)).toBeCloseTo(0.04, 2);
  const result = await probeMedia(outputPath, LIMITS);
  expect(result.durationSeconds).toBeCloseTo(4, 1);
});
