import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { PIPELINE_DEFAULTS } from '../../../src/config/recipe-presets.ts';
import type { MediaInfo } from '../../../src/domain/media-info.ts';
import type { DualFaceRecipe } from '../../../src/domain/recipe.ts';
import { findModel } from '../../../src/inference/models/find-model.ts';
import { readManifest } from '../../../src/inference/models/manifest.ts';
import { createOnnxEngine } from '../../../src/inference/onnx-engine.ts';
import { DualFacePipeline } from '../../../src/pipelines/dual-face/dual-face-pipeline.ts';
import { hasDetector, hasEmbedder, openDetector } from '../../helpers/face-detectors.ts';
import { sharedMedia, whyNoSharedMedia } from '../../helpers/shared-media.ts';

const models = resolve(import.meta.dirname, '../../../models');
const SOURCE = { width: 640, height: 480 };
const RESULT = { width: 960, height: 540 };
const FRAMES = 30;

/** The frames of a split screen of one person who speaks into the camera, 30 frames long. */
async function splitScreenOfOne(recipe: Partial<DualFaceRecipe>): Promise<Buffer[]> {
  const manifest = await readManifest(resolve(models, 'manifest.json'));
  const pipeline = new DualFacePipeline({
    recipe: { ...PIPELINE_DEFAULTS['dual-face'], device: 'cpu', ...RESULT, ...recipe },
    model: await findModel('blazeface-full-range', [models], manifest, 'face-detector'),
    embedding: await findModel('face-recognition', [models], manifest, 'face-embedding'),
    ...{ tile: null, threads: 1, engines: [createOnnxEngine('cpu')] },
    onInferred: () => undefined,
    onStepDown: (reason) => expect.fail(reason),
  });
  onTestFinished(() => pipeline.close());
  const video = { ...SOURCE, bitsPerComponent: 8, sampleAspectRatio: { num: 1, den: 1 } };
  await pipeline.open({ video: { ...video, averageFrameRate: { num: 30, den: 1 } } } as MediaInfo);
  const { signal } = new AbortController();
  const frames = framesOf('milk');
  const { findings } = await pipeline.analyse(frames, null, signal, () => undefined);
  const { directions } = await pipeline.direct([findings], [FRAMES], signal, () => undefined);
  const drawn: Buffer[] = [];
  for await (const { pixels } of pipeline.process(frames, directions[0] ?? null, signal))
    // The pipeline uses the bytes again.
    drawn.push(Buffer.from(pixels));
  return drawn;
}

function framesOf(clip: string): { number: number; pixels: Buffer }[] {
  const raw = execFileSync(
    'ffmpeg',
    [
      ...['-v', 'error', '-i', sharedMedia(`faces/${clip}.mkv`), '-frames:v', String(FRAMES)],
      ...['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'],
    ],
    { maxBuffer: 1 << 30 },
  );
  const bytes = SOURCE.width * SOURCE.height * 3;
  return Array.from({ length: FRAMES }, (_, number) => ({
    number,
    pixels: raw.subarray(number * bytes, (number + 1) * bytes),
  }));
}

test.for<Partial<DualFaceRecipe>>([
  { single: 'full' },
  { single: 'own-side' },
  { single: 'own-side', fill: 'crop' },
  { single: 'own-side', fill: 'black', layout: 'stacked' },
])('somebody who is alone is never shown twice: %o', { timeout: 120_000 }, async (recipe, { skip }) => {
  if (whyNoSharedMedia !== null) skip(whyNoSharedMedia);
  if (!hasDetector('blazeface-full-range') || !hasDetector('YuNet of any size') || !hasEmbedder())
    skip('the models are not installed');
  const judge = await openDetector('YuNet of any size', { enoughFaces: 0 });
  const drawn = await splitScreenOfOne(recipe);
  expect(drawn).toHaveLength(FRAMES);
  expect(drawn[0]?.equals(drawn[FRAMES - 1] ?? Buffer.alloc(0))).toBe(false);
  for (const frame of [0, 12, FRAMES - 1]) {
    const faces = await judge.detect(drawn[frame] ?? Buffer.alloc(0), RESULT.width, RESULT.height);
    expect(faces.filter(({ score }) => score > 0.8)).toHaveLength(1);
  }
});
