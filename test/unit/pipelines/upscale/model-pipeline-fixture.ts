import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { MediaInfo } from '../../../../src/domain/media-info.ts';
import type { ModelArchitecture } from '../../../../src/domain/models.ts';
import type { Device } from '../../../../src/domain/recipe.ts';
import { createOnnxEngine } from '../../../../src/inference/onnx-engine.ts';
import { seededRandom } from '../../../../src/lib/seeded-random.ts';
import type { Frame } from '../../../../src/pipelines/frame-pipeline.ts';
import {
  ModelPipeline,
  type ModelPipelineOptions,
} from '../../../../src/pipelines/upscale/model-pipeline.ts';
import { temporaryFolder } from '../../../helpers/temporary-folder.ts';
import { tinySrvgg } from '../../../helpers/tiny-models.ts';
import { sourceOf } from '../../../helpers/upscale-source.ts';

export const WIDTH = 46;
export const HEIGHT = 34;

export interface Request extends Partial<Omit<ModelPipelineOptions, 'recipe' | 'model'>> {
  readonly architecture?: ModelArchitecture | null;
  readonly file?: Uint8Array;
  readonly scale?: number;
  readonly recipeDevice?: Device;
  readonly source?: MediaInfo;
}

export async function openPipeline(request: Request = {}): Promise<ModelPipeline> {
  const {
    file = tinySrvgg(),
    architecture = 'srvgg',
    scale = 4,
    source = sourceOf(WIDTH, HEIGHT),
    recipeDevice = 'cpu',
    ...options
  } = request;
  const path = join(temporaryFolder(), 'tiny.onnx');
  writeFileSync(path, file);
  const sha256 = createHash('sha256').update(file).digest('hex');
  const model = { name: 'tiny', path, sha256, bytes: file.length, licence: null } as const;
  const pipeline = new ModelPipeline({
    recipe: { pipeline: 'upscale', model: 'tiny', scale, device: recipeDevice, tile: 'auto' },
    model: { ...model, architecture, overlap: 2 },
    embedding: null,
    tile: null,
    threads: 1,
    engines: [createOnnxEngine('cpu')],
    onInferred: () => undefined,
    onStepDown: () => undefined,
    ...options,
  });
  onTestFinished(() => pipeline.close());
  await pipeline.open(source);
  return pipeline;
}

export async function outputs(
  pipeline: ModelPipeline,
  frames: Iterable<Frame>,
  signal?: AbortSignal,
): Promise<Buffer[]> {
  const pixels: Buffer[] = [];
  const processed = pipeline.process(frames, null, signal ?? new AbortController().signal);
  for await (const frame of processed) {
    expect(frame.number).toBe(pixels.length);
    pixels.push(frame.pixels);
  }
  return pixels;
}

/** Values of a medium range, so that the model's output stays within 0..1 and clamping hides nothing. */
export function noise(seed: number, bytes = WIDTH * HEIGHT * 3): Buffer {
  const random = seededRandom(seed);
  const pixels = Buffer.alloc(bytes);
  for (let i = 0; i < bytes; i++) pixels[i] = 64 + 128 * random();
  return pixels;
}
