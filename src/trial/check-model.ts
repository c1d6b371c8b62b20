import { toError } from '../domain/errors.ts';
import type { FrameFormat } from '../domain/media-info.ts';
import type { ModelSpeed } from '../domain/speed.ts';
import type { Engine } from '../inference/engine.ts';
import { readUpscaler } from '../inference/models/read-upscaler.ts';
import { Upscaler } from '../pipelines/upscale/upscaler.ts';
import { measureModel, type ModelToMeasure } from './measure-model.ts';

/** What running a model has shown. */
export interface ModelTrial {
  readonly speed: ModelSpeed;
  /** Which images the model itself takes, such as `multiples of 16 pixels`. */
  readonly sizes: string;
  /** What frames of a job would suffer from, one sentence each. */
  readonly faults: readonly string[];
}

/** An image whose edges no usual window divides: frames of a video can have any size. */
const ODD: FrameFormat = { width: 75, height: 53, pixelFormat: 'rgb24' };
/** Plain colours, whose components are far from each other. */
const COLOURS = [
  [200, 110, 40],
  [40, 170, 220],
] as const;
/** Models change plain colours by a few steps of 255. */
const MOST_DIFFERENCE = 24;

/**
 * Runs a model on the engine that a job would use: how fast it is, whether it takes frames of any size, and whether plain
 * colours stay what they are.
 *
 * @throws EngineError if no engine can run it
 */
export async function checkModel(request: ModelToMeasure, engines: readonly Engine[]): Promise<ModelTrial> {
  const speed = await measureModel(request, engines);
  const { model, device, threads, precision } = request;
  const upscaler = await Upscaler.open({
    ...{ model: await readUpscaler(model), device, engines, threads, precision, input: ODD },
    ...{ webGpu: 'undecided', tile: null, overlap: model.overlap, onStepDown: () => undefined },
    findsSizes: model.architecture === null,
  });
  const sizes = upscaler.current.model.sizes ?? 'any';
  try {
    for (const colour of COLOURS) {
      const found = await meanColour(upscaler, colour);
      const fault = whyNotSameColour(colour, found);
      if (fault !== null) return { speed, sizes, faults: [fault] };
    }
    return { speed, sizes, faults: [] };
  } catch (error) {
    const size = `${ODD.width}x${ODD.height}`;
    return { speed, sizes, faults: [`The model failed on a frame of ${size}: ${toError(error).message}`] };
  } finally {
    await upscaler.close();
  }
}

async function meanColour(upscaler: Upscaler, colour: readonly number[]): Promise<number[]> {
  const frame = Buffer.alloc(ODD.width * ODD.height * 3, Uint8Array.from(colour));
  const { pixels } = await upscaler.upscale(frame, new AbortController().signal);
  const sums = [0, 0, 0];
  pixels.forEach((value, i) => (sums[i % 3] = (sums[i % 3] ?? 0) + value));
  return sums.map((sum) => Math.round(sum / (pixels.length / 3)));
}

function whyNotSameColour(expected: readonly number[], found: readonly number[]): string | null {
  const isNear = (colour: readonly number[]): boolean =>
    colour.every((value, i) => Math.abs(value - (found[i] ?? NaN)) <= MOST_DIFFERENCE);
  if (isNear(expected)) return null;
  const change = `the colour ${expected.join(', ')} became ${found.join(', ')}`;
  return isNear([...expected].reverse())
    ? `The model swaps red and blue (${change}); export it for RGB images.`
    : `The model changes colours (${change}); export it for RGB images with values from 0 to 1.`;
}
