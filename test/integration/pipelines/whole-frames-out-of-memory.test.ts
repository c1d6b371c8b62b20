import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { ModelFile } from '../../../src/domain/models.ts';
import type { Device } from '../../../src/domain/recipe.ts';
import { createCudaEngine, loadAddon } from '../../../src/inference/cuda-engine.ts';
import type { Engine } from '../../../src/inference/engine.ts';
import { createOnnxEngine } from '../../../src/inference/onnx-engine.ts';
import type { Frame } from '../../../src/pipelines/frame-pipeline.ts';
import { ModelPipeline } from '../../../src/pipelines/upscale/model-pipeline.ts';
import { engineWithRoomFor } from '../../helpers/engine-with-room.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { repeatingModel } from '../../helpers/tiny-models.ts';
import { sourceOf } from '../../helpers/upscale-source.ts';

const SCALE = 2;
const [WIDTH, HEIGHT] = [200, 120];
const FAKE = createRequire(import.meta.url).resolve('../../helpers/fake-cuda-addon.cjs');

/** A GPU that has memory for the frames of its trial, not for those of the video. */
function gpuWithLittleMemory(): Engine {
  const addon = join(temporaryFolder(), 'framekiln_cuda.cjs');
  writeFileSync(addon, `module.exports = require(${JSON.stringify(FAKE)})(${SCALE}, 'little memory');`);
  return createCudaEngine(() => loadAddon(addon));
}

/** A model that needs whole frames, as Real-CUGAN does. */
function wholeFrameModel(): ModelFile {
  const path = join(temporaryFolder(), 'whole.onnx');
  const onnx = repeatingModel(SCALE);
  writeFileSync(path, onnx);
  const sha256 = createHash('sha256').update(onnx).digest('hex');
  return {
    name: 'whole',
    path,
    sha256,
    bytes: onnx.length,
    licence: null,
    architecture: 'cugan',
    overlap: 20,
  };
}

function* frames(): Generator<Frame> {
  for (let number = 0; number < 7; number++)
    yield {
      number,
      pixels: Buffer.alloc(3 * WIDTH * HEIGHT).map((_, i) => (i * (31 + number)) % 251) as Buffer,
    };
}

async function upscale(engines: readonly Engine[], device: Device) {
  const said: string[] = [];
  const pipeline = new ModelPipeline({
    recipe: { pipeline: 'upscale', model: 'whole', scale: SCALE, device, tile: 'auto' },
    ...{ model: wholeFrameModel(), embedding: null, tile: null, threads: 1, engines },
    ...{ onInferred: () => undefined, onStepDown: (reason: string) => void said.push(reason) },
  });
  onTestFinished(() => pipeline.close());
  await pipeline.open(sourceOf(WIDTH, HEIGHT));
  const results: Frame[] = [];
  for await (const frame of pipeline.process(frames(), null, new AbortController().signal))
    results.push(frame);
  return { results, said, reducedTile: pipeline.reducedTile };
}

test('a GPU without memory for whole frames gives way to the CPU, and no frame is lost', async () => {
  const cpu = createOnnxEngine('cpu');
  const { results, said, reducedTile } = await upscale([gpuWithLittleMemory(), cpu], 'auto');
  expect(said).toEqual(['cudaErrorMemoryAllocation; continuing with onnxruntime on the CPU']);
  expect(reducedTile).toBeNull();
  const expected = (await upscale([cpu], 'cpu')).results;
  expect(results.map(({ number }) => number)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(results.every(({ pixels }, i) => expected[i]?.pixels.equals(pixels))).toBe(true);
});

test('with gpu-only, the job says that the memory of the GPU is short, and what to do', async () => {
  await expect(upscale([gpuWithLittleMemory(), createOnnxEngine('cpu')], 'gpu-only')).rejects.toMatchObject({
    code: 'GPU_UNAVAILABLE',
    message:
      'cudaErrorMemoryAllocation; this model needs whole frames, so use another model, or set a tile size in the recipe; the device gpu-only rules out the CPU.',
  });
});

test('when the CPU has no memory for a whole frame either, the error says what to do', async () => {
  await expect(upscale([engineWithRoomFor(20_000).engine], 'cpu')).rejects.toMatchObject({
    code: 'OUT_OF_MEMORY',
    message:
      'No memory for 200x120; this model needs whole frames, so use another model, or set a tile size in the recipe.',
  });
});
