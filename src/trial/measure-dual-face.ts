import type { MediaInfo } from '../domain/media-info.ts';
import type { ModelFile } from '../domain/models.ts';
import type { DualFaceRecipe } from '../domain/recipe.ts';
import type { ModelSpeed } from '../domain/speed.ts';
import type { Engine } from '../inference/engine.ts';
import { createPipeline } from '../pipelines/create-pipeline.ts';
import type { Frame, FramePipeline } from '../pipelines/frame-pipeline.ts';
import { startStopwatch } from './stopwatch.ts';

/** Small, because what a larger source costs is estimated by its pixels. */
const WIDTH = 640;
const HEIGHT = 360;
const FRAMES = 12;
/** Frames are drawn one after the other. */
const PARTS_AT_ONCE = 1;

export interface DualFaceToMeasure {
  readonly recipe: DualFaceRecipe;
  readonly model: ModelFile;
  readonly threads: number;
}

/** Measures both passes of a split screen on frames without faces, which are drawn as a whole. Pixels are those of the output. */
export async function measureDualFace(
  { recipe, model, threads }: DualFaceToMeasure,
  engines: readonly Engine[],
): Promise<ModelSpeed> {
  const pipeline = createPipeline(recipe, {
    ...{ model, embedding: null, tile: null, threads, engines },
    onInferred: () => undefined,
    onStepDown: () => undefined,
  });
  const openedAtMs = performance.now();
  await pipeline.open(SOURCE);
  const loadMs = Math.round(performance.now() - openedAtMs);
  try {
    const { signal } = new AbortController();
    await makeFrames(pipeline, 2, signal);
    const elapsedMs = startStopwatch();
    await makeFrames(pipeline, FRAMES, signal);
    const msPerPixel = elapsedMs(PARTS_AT_ONCE) / FRAMES / (recipe.width * recipe.height);
    return { engine: pipeline.summary, device: 'cpu', scale: 1, msPerPixel, loadMs, memoryBytes: null };
  } finally {
    await pipeline.close();
  }
}

async function makeFrames(pipeline: FramePipeline, count: number, signal: AbortSignal): Promise<void> {
  const analysed = await pipeline.analysis?.analyse(frames(count), null, signal, () => undefined);
  const findings = analysed === undefined ? [] : [analysed.findings];
  const directed = await pipeline.analysis?.direct(findings, [count], signal, () => undefined);
  await drain(pipeline.process(frames(count), directed?.directions[0] ?? null, signal));
}

async function drain(results: AsyncIterable<Frame>): Promise<void> {
  const iterator = results[Symbol.asyncIterator]();
  while ((await iterator.next()).done !== true);
}

function* frames(count: number): Generator<Frame> {
  for (let number = 0; number < count; number++) {
    const pixels = Buffer.allocUnsafe(3 * WIDTH * HEIGHT);
    for (let i = 0; i < pixels.length; i++) pixels[i] = ((i >> 6) * (7 + number)) % 251;
    yield { number, pixels };
  }
}

const NOTHING = { range: null, matrix: null, primaries: null, transfer: null, chromaLocation: null };

const SOURCE: MediaInfo = {
  ...{ path: '', container: 'mp4', durationSeconds: null, startSeconds: 0, bytes: 0 },
  ...{ others: [], chapterCount: 0, tagNames: [] },
  video: {
    ...{ isStill: false, index: 0, codec: 'h264', width: WIDTH, height: HEIGHT },
    ...{ pixelFormat: 'yuv420p', bitsPerComponent: 8, color: NOTHING, hdr: null, dynamicHdr: null },
    ...{ timeBase: { num: 1, den: 25 }, averageFrameRate: { num: 25, den: 1 } },
    ...{ sampleAspectRatio: { num: 1, den: 1 }, rotationDegrees: 0, mirrored: false, interlaced: false },
    ...{ hasAlpha: false, durationSeconds: null, startSeconds: null, dispositions: [] },
  },
};
