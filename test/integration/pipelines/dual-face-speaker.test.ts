import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { PIPELINE_DEFAULTS } from '../../../src/config/recipe-presets.ts';
import type { MediaInfo } from '../../../src/domain/media-info.ts';
import { findModel } from '../../../src/inference/models/find-model.ts';
import { readManifest } from '../../../src/inference/models/manifest.ts';
import { createOnnxEngine } from '../../../src/inference/onnx-engine.ts';
import { readLoudness } from '../../../src/media/loudness/read-loudness.ts';
import { decodeViews, type ScreenViews } from '../../../src/pipelines/dual-face/composition/screen-views.ts';
import { DualFacePipeline } from '../../../src/pipelines/dual-face/dual-face-pipeline.ts';
import { decodeDirection } from '../../../src/pipelines/dual-face/enhancement/batch-direction.ts';
import { ffmpeg } from '../../helpers/clips.ts';
import { hasDetector } from '../../helpers/face-detectors.ts';
import { sharedMedia, whyNoSharedMedia } from '../../helpers/shared-media.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const models = resolve(import.meta.dirname, '../../../models');
const SOURCE = { width: 704, height: 288 };
const FRAMES = 60;
const RATE = 25;

/** What each frame shows of a video in which a man talks on one side, and somebody with a larger face on the other does not. */
async function viewsOf(talker: 'left' | 'right'): Promise<ScreenViews[]> {
  const raw = execFileSync(
    'ffmpeg',
    [
      ...['-v', 'error', '-i', sharedMedia('upscale/test_cif_P_CABAC_slice.264')],
      ...['-i', sharedMedia('faces/again.mkv'), '-filter_complex'],
      // Without -fps_mode passthrough, frames would be repeated up to the rate of the time base.
      `[0]setpts=N/${RATE}/TB,scale=176:144,pad=352:288:88:72:gray[a];` +
        `[1]setpts=N/${RATE}/TB,scale=960:720,crop=352:288:294:20[b];${talker === 'left' ? '[a][b]' : '[b][a]'}hstack`,
      ...[
        '-fps_mode',
        'passthrough',
        '-frames:v',
        String(FRAMES),
        '-f',
        'rawvideo',
        '-pix_fmt',
        'rgb24',
        '-',
      ],
    ],
    { maxBuffer: 1 << 30 },
  );
  const bytes = SOURCE.width * SOURCE.height * 3;
  const frames = Array.from({ length: FRAMES }, (_, number) => ({
    number,
    pixels: raw.subarray(number * bytes, (number + 1) * bytes),
  }));
  expect(new Set(frames.map(({ pixels }) => pixels.toString('latin1'))).size).toBe(FRAMES);
  const manifest = await readManifest(resolve(models, 'manifest.json'));
  const pipeline = new DualFacePipeline({
    recipe: { ...PIPELINE_DEFAULTS['dual-face'], device: 'cpu', layout: 'speaker', enhance: 'off' },
    model: await findModel('blazeface-full-range', [models], manifest, 'face-detector'),
    embedding: null,
    ...{ tile: null, threads: 1, engines: [createOnnxEngine('cpu')] },
    onInferred: () => undefined,
    onStepDown: () => undefined,
  });
  onTestFinished(() => pipeline.close());
  const video = { ...SOURCE, bitsPerComponent: 8, sampleAspectRatio: { num: 1, den: 1 } };
  await pipeline.open({ video: { ...video, averageFrameRate: { num: RATE, den: 1 } } } as MediaInfo);
  const { signal } = new AbortController();
  // In two batches, so that mouths are compared across a checkpoint too.
  const [first, second] = [frames.slice(0, 25), frames.slice(25)];
  const begun = await pipeline.analyse(first, null, signal, () => undefined);
  const ended = await pipeline.analyse(second, begun.state, signal, () => undefined);
  const lengths = [first.length, second.length];
  const { directions } = await pipeline.direct(
    [begun.findings, ended.findings],
    lengths,
    signal,
    () => undefined,
  );
  return directions.flatMap((each) => [...decodeViews(decodeDirection(each).views).values()]);
}

test.for(['left', 'right'] as const)(
  'the only pane shows the man who talks on the %s, in every frame',
  { timeout: 120_000 },
  async (talker, { skip }) => {
    if (whyNoSharedMedia !== null) skip(whyNoSharedMedia);
    if (!hasDetector('blazeface-full-range')) skip('the model is not installed');
    const views = await viewsOf(talker);
    expect(views).toHaveLength(FRAMES);
    for (const { panes, whole } of views) {
      expect(whole).toBe(0);
      expect(panes).toHaveLength(1);
      const isLeft = (panes[0]?.centerX ?? 0) < SOURCE.width / 2;
      expect(isLeft).toBe(talker === 'left');
    }
  },
);

test('the loudness of an audio track is that of each frame, also if the track starts late', async () => {
  const path = join(temporaryFolder(), 'clip.mkv');
  const tone = "sine=f=440:d=2,volume='if(lt(t,0.8),1,0.01)':eval=frame";
  ffmpeg(
    ...['-f', 'lavfi', '-i', `color=s=64x48:r=${RATE}:d=3`, '-itsoffset', '0.4', '-f', 'lavfi', '-i', tone],
    ...['-c:v', 'libx264', '-c:a', 'pcm_s16le', path],
  );
  const pts = Float64Array.from({ length: 3 * RATE }, (_, i) => i);
  const index = { pts, timeBase: { num: 1, den: RATE } };
  const { signal } = new AbortController();
  const loudness = await readLoudness({ path, startSeconds: 0 }, { index: 1 }, index, signal);
  const at = (seconds: number): number => loudness[Math.round(seconds * RATE)] ?? 0;
  expect(loudness).toHaveLength(3 * RATE);
  expect(at(0.2)).toBeLessThan(-80);
  expect(at(0.5)).toBeCloseTo(-21, 0);
  expect(at(1.1)).toBeCloseTo(-21, 0);
  expect(at(1.4)).toBeCloseTo(-61, 0);
  expect(at(2.9)).toBe(-Infinity);
});
