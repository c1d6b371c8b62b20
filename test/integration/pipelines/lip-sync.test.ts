import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { PIPELINE_DEFAULTS } from '../../../src/config/recipe-presets.ts';
import type { MediaInfo } from '../../../src/domain/media-info.ts';
import type { LipSyncRecipe } from '../../../src/domain/recipe.ts';
import { findModel } from '../../../src/inference/models/find-model.ts';
import { createOnnxEngine } from '../../../src/inference/onnx-engine.ts';
import { LipSyncPipeline } from '../../../src/pipelines/lip-sync/lip-sync-pipeline.ts';
import { talkingModel } from '../../helpers/lip-sync.ts';
import { sharedMedia, sharedModels, whyNoSharedMedia } from '../../helpers/shared-media.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const SIZE = { width: 640, height: 480 };
const RATE = { num: 25, den: 2 };
const FRAMES = 8;

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface Drawn {
  readonly before: readonly Buffer[];
  readonly after: readonly Buffer[];
  readonly boxes: readonly Box[];
  /** Numbers of the frames that the model has drawn. */
  readonly inferred: readonly number[];
}

/** Eight frames of a person, who says something that becomes louder with each frame. */
async function drawn(
  keys: Partial<LipSyncRecipe>,
  facesAtOnce: number,
  { batch, before = framesOf('student') }: { readonly batch?: number; readonly before?: Buffer[] } = {},
): Promise<Drawn> {
  const path = join(temporaryFolder(), 'talking.onnx');
  writeFileSync(path, talkingModel(batch));
  const detector = sharedModels('yunet_n_640_640.onnx');
  const manifest = { models: [] };
  const inferred: number[] = [];
  // 6.4 columns for each frame, and the 16 of the last one.
  const mel = Float32Array.from({ length: 80 * 70 }, (_, i) => -4 + Math.floor(i / 80) / 10);
  const pipeline = new LipSyncPipeline({
    recipe: { ...PIPELINE_DEFAULTS['lip-sync'], device: 'cpu', ...keys },
    model: await findModel(path, [], manifest, 'lip-sync'),
    detector: await findModel(detector, [], manifest, 'face-detector'),
    speech: { mel, cycle: { ownFrames: 8, extend: 'loop' }, facesAtOnce, seenFrames: null },
    ...{ embedding: null, tile: null, threads: 1, engines: [createOnnxEngine('cpu')] },
    onInferred: (frame) => inferred.push(frame),
    onStepDown: (reason) => expect.fail(reason),
  });
  onTestFinished(() => pipeline.close());
  const video = { ...SIZE, bitsPerComponent: 8, averageFrameRate: RATE };
  await pipeline.open({ path: 'student.mkv', video } as MediaInfo);
  const { signal } = new AbortController();
  const frames = before.map((pixels, number) => ({ number, pixels }));
  const { findings } = await pipeline.analyse(frames, null, signal, () => undefined);
  const { directions, decisions } = await pipeline.direct([findings], [FRAMES]);
  const direction = directions[0] ?? null;
  // Those of the detector.
  inferred.length = 0;
  await pipeline.lookAhead(frames, signal, direction);
  const after: Buffer[] = [];
  for await (const { pixels } of pipeline.process(frames, direction, signal)) after.push(Buffer.from(pixels));
  return { before, after, boxes: (JSON.parse(decisions) as { boxes: Box[] }).boxes, inferred };
}

function framesOf(clip: string): Buffer[] {
  const input = ['-v', 'error', '-i', sharedMedia(`faces/${clip}.mkv`), '-frames:v', String(FRAMES)];
  const raw = execFileSync('ffmpeg', [...input, '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'], {
    maxBuffer: 1 << 30,
  });
  const bytes = SIZE.width * SIZE.height * 3;
  return Array.from({ length: FRAMES }, (_, number) => raw.subarray(number * bytes, (number + 1) * bytes));
}

/** Values of a frame that differ, inside and outside of the lower half of the face. */
function changes({ before, after, boxes }: Drawn, frame: number): { inside: number; outside: number } {
  const found = { inside: 0, outside: 0 };
  const { x, y, width, height } = boxes[frame] ?? { x: 0, y: 0, width: 0, height: 0 };
  before[frame]?.forEach((value, i) => {
    if (value === after[frame]?.[i]) return;
    const [column, row] = [Math.floor(i / 3) % SIZE.width, Math.floor(i / 3 / SIZE.width)];
    const isInside = column >= x && column < x + width && row >= y + 0.4 * height && row < y + height;
    found[isInside ? 'inside' : 'outside']++;
  });
  return found;
}

/** The brightness in the middle of the mouth of each frame. */
function mouths({ after, boxes }: Drawn): number[] {
  return boxes.map(({ x, y, width, height }, frame) => {
    const [column, row] = [Math.round(x + width / 2), Math.round(y + (76 / 96) * height)];
    return after[frame]?.[(row * SIZE.width + column) * 3] ?? NaN;
  });
}

test.skipIf(whyNoSharedMedia !== null)(
  'every pixel outside of the lower half of the face stays as it was decoded, and the mouth follows the speech',
  async () => {
    const result = await drawn({}, 4);
    expect(result.after).toHaveLength(FRAMES);
    for (let frame = 0; frame < FRAMES; frame++) {
      const { inside, outside } = changes(result, frame);
      expect(outside).toBe(0);
      expect(inside).toBeGreaterThan(1000);
    }
    const brightness = mouths(result);
    expect(brightness).toEqual(brightness.toSorted((a, b) => a - b));
    expect((brightness.at(-1) ?? 0) - (brightness[0] ?? 0)).toBeGreaterThan(60);
    expect(result.inferred).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  },
);

test.skipIf(whyNoSharedMedia !== null)(
  'frames are the same however many faces are drawn at once, and with a model of a fixed batch size',
  async () => {
    const [one, three, fixed] = [await drawn({}, 1), await drawn({}, 3), await drawn({}, 4, { batch: 2 })];
    for (const other of [three, fixed])
      expect(other.after.every((pixels, i) => pixels.equals(one.after[i] ?? Buffer.alloc(0)))).toBe(true);
  },
);

test.skipIf(whyNoSharedMedia !== null)(
  'with a frame skip, the model draws fewer frames, and those in between are mixed or repeated',
  async () => {
    const mixed = await drawn({ frameSkip: 3 }, 4);
    const repeated = await drawn({ frameSkip: 3, interpolate: false }, 4);
    expect([mixed.inferred, repeated.inferred]).toEqual([
      [0, 3, 6, 7],
      [0, 3, 6, 7],
    ]);
    const [rising, steps] = [mouths(mixed), mouths(repeated)];
    expect(rising[1]).toBeGreaterThan((rising[0] ?? 0) + 3);
    expect(rising[2]).toBeGreaterThan((rising[1] ?? 0) + 3);
    expect(Math.abs((steps[1] ?? 0) - (steps[0] ?? 0))).toBeLessThan(4);
  },
);

test.skipIf(whyNoSharedMedia !== null)(
  'no face of one shot is mixed into another, and each shot begins and ends with a frame that the model has drawn',
  async () => {
    const before = [...framesOf('student').slice(0, 4), ...framesOf('book').slice(0, 4)];
    const every = await drawn({}, 4, { before });
    const skipped = await drawn({ frameSkip: 3 }, 4, { before });
    expect(skipped.inferred).toEqual([0, 3, 4, 7]);
    for (const frame of [0, 3, 4, 7])
      expect(skipped.after[frame]?.equals(every.after[frame] ?? Buffer.alloc(0))).toBe(true);
    // Between two shots whose mouths differ most, the mouth still rises as in each of them.
    const brightness = mouths(skipped);
    expect(brightness).toEqual(brightness.toSorted((a, b) => a - b));
  },
);
