import { expect, test } from 'vitest';
import type { Engine } from '../../../../src/inference/engine.ts';
import { createOnnxEngine } from '../../../../src/inference/onnx-engine.ts';
import { seededRandom } from '../../../../src/lib/seeded-random.ts';
import type { Frame } from '../../../../src/pipelines/frame-pipeline.ts';
import { framesOf, sourceOf } from '../../../helpers/upscale-source.ts';
import { openPipeline, outputs, type Request } from './model-pipeline-fixture.ts';

const WIDTH = 160;
const HEIGHT = 96;

/** A copy of a frame with noise in its first `columns` columns. */
function withNoise(frame: Buffer, columns: number, seed: number): Buffer {
  const random = seededRandom(seed);
  const copy = Buffer.from(frame);
  const rowBytes = copy.length / HEIGHT;
  for (let row = 0; row < copy.length; row += rowBytes)
    copy
      .subarray(row, row + (columns * rowBytes) / WIDTH)
      .forEach((_, i, part) => (part[i] = 256 * random()));
  return copy;
}

/** Six frames that differ in their first 60 columns; the fourth is a duplicate. */
function halfStill(seed: number, bits: 8 | 10 = 8): Frame[] {
  const still = withNoise(Buffer.alloc(WIDTH * HEIGHT * (bits === 8 ? 3 : 6)), WIDTH, 99);
  const frames = [0, 1, 2, 2, 3, 4].map((i) => withNoise(still, 60, seed + i));
  return framesOf(...frames);
}

interface CountingEngine extends Engine {
  /** Pixels that the engine has got after its trial. */
  pixels: number;
}

function countingEngine(device: 'cpu' | 'gpu' = 'cpu'): CountingEngine {
  const engine = createOnnxEngine('cpu');
  const counting: CountingEngine = {
    ...{ name: 'a counting engine', device, pixels: 0 },
    async load(onnx, options) {
      const model = await engine.load(onnx, options);
      return {
        concurrency: 2,
        dispose: () => model.dispose(),
        run(input) {
          if (input.shape[2] > 16) counting.pixels += input.shape[2] * input.shape[3];
          return model.run(input);
        },
      };
    },
  };
  return counting;
}

/** The frames of the last batch from number `from` on, by a pipeline that has had all these batches. */
async function transform(request: Request, batches: readonly Frame[][], from = 0): Promise<Buffer[]> {
  const pipeline = await openPipeline({ source: sourceOf(WIDTH, HEIGHT), ...request });
  let last: Buffer[] = [];
  for (const frames of batches) {
    await pipeline.lookAhead(frames, new AbortController().signal);
    last = await outputs(pipeline, framesOf(...frames.slice(from).map(({ pixels }) => pixels)));
  }
  return last;
}

test.for([
  [8, 4],
  [8, 3],
  [10, 2],
] as const)(
  'with %i bits at scale %i, a frame is the same whether its unchanged tiles are copied or computed',
  async ([bits, scale]) => {
    const frames = halfStill(1, bits);
    const engine = countingEngine();
    const shares: number[] = [];
    const request = { scale, source: sourceOf(WIDTH, HEIGHT, bits), engines: [engine], reusesTiles: true };
    const found = await transform({ ...request, onReused: (share) => shares.push(share) }, [frames]);
    // Cut in the middle, because the blocks up to column 64 have changed and tiles overlap by two pixels; the right tile
    // is computed in the first frame only.
    expect(engine.pixels).toBe((80 + 2) * 96 * (5 + 1));
    expect(shares.toSorted()).toEqual([0, 0.5, 0.5, 0.5, 0.5, 1]);
    for (const from of frames.keys()) {
      // As if the job had been resumed at this frame.
      const [resumed] = await transform(request, [frames], from);
      expect(resumed?.equals(found[from] ?? Buffer.of())).toBe(true);
    }
  },
);

test('a batch does not depend on the batch before it, not even on a frame that equals its own', async () => {
  const before = halfStill(20);
  const last = before.at(-1)?.pixels ?? Buffer.of();
  const batch = framesOf(last, ...[30, 31, 32].map((seed) => withNoise(last, WIDTH, seed)));
  const engine = countingEngine();
  const after = await transform({ engines: [engine], reusesTiles: true }, [before, batch]);
  const alone = await transform({ reusesTiles: true }, [batch]);
  expect(after.map((pixels, i) => pixels.equals(alone[i] ?? Buffer.of()))).toEqual([true, true, true, true]);
  expect(engine.pixels).toBe((80 + 2) * 96 * (5 + 1) + 4 * WIDTH * HEIGHT);
});

test('noise, GPUs, models of unknown architecture and jobs of older versions get whole frames', async () => {
  const noise = framesOf(
    ...[1, 2, 3].map((seed) => withNoise(Buffer.alloc(WIDTH * HEIGHT * 3), WIDTH, seed)),
  );
  for (const { frames, count, device = 'cpu', ...request } of [
    { frames: noise, count: 3 },
    { frames: halfStill(40), count: 5, device: 'gpu' as const },
    { frames: halfStill(40), count: 5, reusesTiles: false },
    { frames: halfStill(40), count: 5, architecture: null },
  ]) {
    const engine = countingEngine(device);
    await transform({ engines: [engine], recipeDevice: device, reusesTiles: true, ...request }, [frames]);
    // A model of unknown architecture is first run on a small image, to find out whether it takes any size.
    const tried = 'architecture' in request ? 37 * 29 : 0;
    expect(engine.pixels).toBe(tried + count * WIDTH * HEIGHT);
  }
});

test('tiles that memory demands are reused as well', async () => {
  const frames = halfStill(50);
  const engine = countingEngine();
  const request = { tile: 80, reusesTiles: true };
  const found = await transform({ ...request, engines: [engine] }, [frames]);
  const plain = await transform({ ...request, reusesTiles: false }, [frames]);
  expect(found.map((pixels, i) => pixels.equals(plain[i] ?? Buffer.of()))).not.toContain(false);
  // Two by two windows of 82 by 50 pixels: the left ones five times, the right ones once.
  expect(engine.pixels).toBe(82 * 50 * (2 * 5 + 2));
});
