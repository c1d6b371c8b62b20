import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PIPELINE_DEFAULTS } from '../../../src/config/recipe-presets.ts';
import { SAFE_DEFAULTS } from '../../../src/config/settings.ts';
import { FrameDecoder, frameBuffer } from '../../../src/media/decode/decoder.ts';
import { indexFrames } from '../../../src/media/index/frame-index.ts';
import { probeMedia } from '../../../src/media/probe/probe-media.ts';
import { describePipeline } from '../../../src/pipelines/describe-pipeline.ts';
import { takeFrame } from '../../../src/trial/take-frame.ts';
import { ffmpeg, makeClip } from '../../helpers/clips.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const RECIPE = PIPELINE_DEFAULTS.upscale;
const { limits } = SAFE_DEFAULTS;
const { signal } = new AbortController();
const take = (path: string, at: number | null) => takeFrame(path, at, RECIPE, limits, signal);

/** A frame as a job decodes it, by an index of the whole source. */
async function frameOfJob(path: string, number: number): Promise<Buffer> {
  const media = await probeMedia(path, limits, signal);
  const index = await indexFrames(media, { limits });
  const format = describePipeline(RECIPE, media).formats.input;
  const decoder = new FrameDecoder(media, index, number, { format, maxPixels: 1e6 });
  const pixels = frameBuffer(format);
  await decoder.read(pixels);
  await decoder.close();
  return pixels;
}

/** One keyframe alone, at the start. */
const TEN_BITS = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '500', '-pix_fmt', 'yuv420p10le'];
const TINTERLACE = 'tinterlace=interleave_top,fieldorder=tff';

test.for([
  { title: 'with sound and B-frames', file: 'clip.mp4', request: { audio: true }, frame: 200 },
  { title: 'at its start', file: 'clip.mkv', request: {}, frame: 0 },
  { title: 'of 10 bits', file: 'deep.mkv', request: { encoder: TEN_BITS }, frame: 130 },
  { title: 'in an elementary stream', file: 'clip.h264', request: {}, frame: 60 },
  {
    title: 'that is interlaced',
    file: 'tv.mkv',
    request: {
      filter: TINTERLACE,
      encoder: ['-c:v', 'mpeg2video', '-q:v', '4', '-flags', '+ildct+ilme', '-top', '1'],
      rate: '50',
    },
    frame: 100,
  },
])('takes exactly the pixels that a job decodes from a video $title', async ({ file, request, frame }) => {
  const path = makeClip(join(temporaryFolder(), file), { frames: 250, audio: false, ...request });
  const taken = await take(path, frame / 25);
  expect(taken.atSeconds).toBeCloseTo(frame / 25, 2);
  expect(taken.image.pixels.equals(await frameOfJob(path, frame))).toBe(true);
});

test('without a time, it is the middle of the video', async () => {
  const path = makeClip(join(temporaryFolder(), 'clip.mp4'), { frames: 100, audio: false });
  expect((await take(path, null)).atSeconds).toBeCloseTo(2, 2);
});

test('a time after the end is an error that names the last frame', async () => {
  const path = makeClip(join(temporaryFolder(), 'clip.mp4'), { frames: 50, audio: false });
  await expect(take(path, 2.5)).rejects.toThrow(
    'clip.mp4 has no frame at 2.5 s; its last frame is at 2.0 s.',
  );
});

test('a still image is taken as a whole, with its transparency', async () => {
  const path = join(temporaryFolder(), 'photo.png');
  ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=40x30', '-frames:v', '1', '-pix_fmt', 'rgba', path);
  const { image, atSeconds } = await take(path, null);
  expect([image.width, image.height, image.alpha?.length, atSeconds]).toEqual([40, 30, 1200, null]);
});
