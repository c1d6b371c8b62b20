import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { EngineError, StoppedError } from '../../../../src/domain/errors.ts';
import type { MediaInfo } from '../../../../src/domain/media-info.ts';
import type { Engine } from '../../../../src/inference/engine.ts';
import { createOnnxEngine } from '../../../../src/inference/onnx-engine.ts';
import type { Frame } from '../../../../src/pipelines/frame-pipeline.ts';
import {
  NetworkPipeline,
  type NetworkPipelineOptions,
} from '../../../../src/pipelines/upscale/network-pipeline.ts';
import { largestDifference } from '../../../helpers/pictures.ts';
import { seededRandom } from '../../../helpers/seeded-random.ts';
import { temporaryFolder } from '../../../helpers/temporary-folder.ts';
import { repeatingNetwork, tinySrvgg } from '../../../helpers/tiny-networks.ts';
import { framesOf, sourceOf } from '../../../helpers/upscale-source.ts';

const WIDTH = 46;
const HEIGHT = 34;

interface Wish extends Partial<Omit<NetworkPipelineOptions, 'recipe' | 'network'>> {
  readonly file?: Uint8Array;
  readonly scale?: number;
  readonly source?: MediaInfo;
}

async function openPipeline(wish: Wish = {}): Promise<NetworkPipeline> {
  const { file = tinySrvgg(), scale = 4, source = sourceOf(WIDTH, HEIGHT), ...options } = wish;
  const path = join(temporaryFolder(), 'tiny.onnx');
  writeFileSync(path, file);
  const network = { name: 'tiny', path, sha256: '', bytes: file.length, licence: null } as const;
  const pipeline = new NetworkPipeline({
    recipe: { pipeline: 'upscale', network: 'tiny', scale, device: 'cpu', tile: 'auto' },
    network: { ...network, architecture: 'srvgg', overlap: 2 },
    tile: null,
    threads: 1,
    engines: [createOnnxEngine('cpu')],
    onInferred: () => undefined,
    ...options,
  });
  onTestFinished(() => pipeline.close());
  await pipeline.open(source);
  return pipeline;
}

async function outputs(
  pipeline: NetworkPipeline,
  frames: Iterable<Frame>,
  signal?: AbortSignal,
): Promise<Buffer[]> {
  const pixels: Buffer[] = [];
  const processed = pipeline.process(frames, signal ?? new AbortController().signal);
  for await (const frame of processed) {
    expect(frame.number).toBe(pixels.length);
    pixels.push(frame.pixels);
  }
  return pixels;
}

async function output(wish: Wish, pixels: Buffer): Promise<Buffer> {
  const [frame] = await outputs(await openPipeline(wish), framesOf(pixels));
  return frame ?? Buffer.alloc(0);
}

/** Of a middling range, so that the network's output stays inside 0..1 and nothing hides behind a clamp. */
function noise(seed: number, bytes = WIDTH * HEIGHT * 3): Buffer {
  const random = seededRandom(seed);
  const pixels = Buffer.alloc(bytes);
  for (let i = 0; i < bytes; i++) pixels[i] = 64 + 128 * random();
  return pixels;
}

test('tiles with the network’s overlap give what the whole frame gives', async () => {
  const pixels = noise(1);
  for (const scale of [4, 2]) {
    const whole = await output({ scale }, pixels);
    expect(whole.length).toBe(WIDTH * scale * HEIGHT * scale * 3);
    for (const tile of [8, 16, 33]) {
      expect(largestDifference(await output({ scale, tile }, pixels), whole)).toBeLessThanOrEqual(1);
    }
  }
});

test('a frame equal to the one before it is not inferred again, and comes out the same', async () => {
  const inferred: number[] = [];
  const pipeline = await openPipeline({ onInferred: (number) => inferred.push(number) });
  const [a, b] = [noise(2), noise(3)];
  const [first, second, third, fourth] = await outputs(pipeline, framesOf(a, Buffer.from(a), b, a));
  expect(inferred).toEqual([0, 2, 3]);
  expect(second?.equals(first ?? a)).toBe(true);
  expect(fourth?.equals(first ?? a)).toBe(true);
  expect(third?.equals(first ?? b)).toBe(false);
});

test('a pipeline that is opened anew goes on with the same frames', async () => {
  const frames = [noise(4), noise(5), noise(6)];
  const through = await outputs(await openPipeline(), framesOf(...frames));
  const [resumed] = await outputs(await openPipeline(), framesOf(...frames.slice(2)));
  expect(resumed?.equals(through[2] ?? Buffer.alloc(0))).toBe(true);
});

test('any factor comes from resampling the network’s own', async () => {
  const flat = Buffer.alloc(WIDTH * HEIGHT * 3, 90);
  const file = repeatingNetwork(4);
  for (const [scale, width, height] of [
    [1, 46, 34],
    [1.5, 70, 52],
    [2, 92, 68],
    [3, 138, 102],
  ] as const) {
    const pipeline = await openPipeline({ file, scale });
    expect(pipeline.describe(sourceOf(WIDTH, HEIGHT)).output).toMatchObject({ width, height });
    const [pixels] = await outputs(pipeline, framesOf(flat));
    expect(pixels?.equals(Buffer.alloc(width * height * 3, 90))).toBe(true);
  }
});

test('a deeper source keeps its 16 bits, and odd edges become even', async () => {
  const source = sourceOf(5, 3, 10);
  const pipeline = await openPipeline({ file: repeatingNetwork(1), scale: 1, source });
  expect(pipeline.describe(source)).toEqual({
    input: { width: 5, height: 3, pixelFormat: 'rgb48le' },
    output: { width: 6, height: 4, pixelFormat: 'rgb48le' },
  });
  const [pixels] = await outputs(pipeline, framesOf(Buffer.from(new Uint16Array(45).fill(40_001).buffer)));
  expect(pixels?.equals(Buffer.from(new Uint16Array(72).fill(40_001).buffer))).toBe(true);
});

/** The real engine, which has memory for `edge` pixels along the longer edge of a run. */
function engineWithRoomFor(edge: number, edges: number[]): Engine {
  const engine = createOnnxEngine('cpu');
  return {
    ...engine,
    async load(model, options) {
      const network = await engine.load(model, options);
      return {
        dispose: () => network.dispose(),
        async run(input) {
          const longer = Math.max(input.shape[2], input.shape[3]);
          edges.push(longer);
          if (longer > edge) throw new EngineError('OUT_OF_MEMORY', `${longer} is too much`);
          return network.run(input);
        },
      };
    },
  };
}

test('want of memory makes the tiles smaller and the frame is done again', async () => {
  const pixels = noise(7);
  const edges: number[] = [];
  const pipeline = await openPipeline({ engines: [engineWithRoomFor(40, edges)] });
  const [tiled] = await outputs(pipeline, framesOf(pixels));
  expect(largestDifference(tiled ?? [], await output({}, pixels))).toBeLessThanOrEqual(1);
  const trials = edges.length;
  await outputs(pipeline, framesOf(noise(8)));
  expect(Math.max(...edges.slice(trials))).toBeLessThanOrEqual(40);
});

test('want of memory that does not end goes up after three smaller tries', async () => {
  const edges: number[] = [];
  const source = sourceOf(400, 20);
  const pipeline = await openPipeline({ engines: [engineWithRoomFor(16, edges)], source });
  await expect(outputs(pipeline, framesOf(noise(9, 400 * 20 * 3)))).rejects.toMatchObject({
    code: 'OUT_OF_MEMORY',
  });
  // The trial, then the whole frame and tiles of at most 280, 140 and 93 pixels, evened out over the frame.
  expect(edges).toEqual([16, 400, 202, 138, 84]);
});

test('a stop is noticed between tiles', async () => {
  const stop = new AbortController();
  const engine = createOnnxEngine('cpu');
  let runs = 0;
  const stopping: Engine = {
    ...engine,
    async load(model, options) {
      const network = await engine.load(model, options);
      return {
        dispose: () => network.dispose(),
        run(input) {
          // The first is the trial.
          if (++runs === 3) stop.abort(new StoppedError('Paused.'));
          return network.run(input);
        },
      };
    },
  };
  const pipeline = await openPipeline({ engines: [stopping], tile: 16 });
  await expect(outputs(pipeline, framesOf(noise(10)), stop.signal)).rejects.toThrow(StoppedError);
  expect(runs).toBe(3);
});

test('the summary says what runs where, and why not on a GPU', async () => {
  expect((await openPipeline({ scale: 2 })).summary).toBe(
    'tiny by onnxruntime on the CPU, whole frames, scale 2 folded into its last layer',
  );
  expect((await openPipeline({ scale: 3, tile: 32 })).summary).toBe(
    'tiny by onnxruntime on the CPU, tiles of 32 px with 2 px around, its 4x resampled to 3x',
  );
});

test('a pipeline may be closed without being open, and twice', async () => {
  const pipeline = await openPipeline();
  await pipeline.close();
  await pipeline.close();
  await expect(outputs(pipeline, framesOf(noise(11)))).rejects.toThrow('not open');
});
