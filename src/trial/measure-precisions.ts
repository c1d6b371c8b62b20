import { PRECISIONS, type Precision } from '../domain/job.ts';
import type { FrameFormat } from '../domain/media-info.ts';
import type { Engine, LoadedModel, Tensor } from '../inference/engine.ts';
import { onlyImage } from '../inference/only-image.ts';
import { asComponents, maxComponent } from '../pipelines/components.ts';
import { readPlanes } from '../pipelines/upscale/pixels.ts';
import { gradeOf, qualityOf, type Graded, type Quality } from './grade-precision.ts';

export interface MeasuredPrecision extends Graded {
  readonly precision: Precision;
  /** How many times as fast as onnxruntime, by CPU time. */
  readonly speed: number;
}

export interface PrecisionRequest {
  /** Bytes of an ONNX file. */
  readonly onnx: Uint8Array;
  /** 0: one per core. */
  readonly threads: number;
  /** Engine whose precisions are measured. */
  readonly engine: Engine;
  /** The engine that they are compared with. */
  readonly reference: Engine;
}

interface Trial {
  readonly model: LoadedModel;
  readonly images: Quality[];
  cpuMs: number;
}

/**
 * Measures each precision with the same images. All of them and the reference take turns with each image, and times are CPU
 * times of this process, so that other programs disturb the comparison little.
 *
 * @throws EngineError if the engine cannot run the model
 */
export async function measurePrecisions(
  { onnx, threads, engine, reference }: PrecisionRequest,
  images: Iterable<Tensor> | AsyncIterable<Tensor>,
): Promise<MeasuredPrecision[]> {
  const trials: Trial[] = [];
  const open = async (from: Engine, precision: Precision): Promise<Trial> => {
    const trial = { model: await from.load(onnx, { threads, precision }), images: [], cpuMs: 0 };
    trials.push(trial);
    return trial;
  };
  try {
    const wanted = await open(reference, 'exact');
    const all: (Trial & { readonly precision: Precision })[] = [];
    for (const precision of PRECISIONS) all.push(Object.assign(await open(engine, precision), { precision }));
    let isWarm = false;
    for await (const image of images) {
      // The first run of a model allocates its memory.
      if (!isWarm) for (const { model } of trials) await model.run(image);
      isWarm = true;
      const expected = await run(wanted, image);
      for (const trial of all) {
        const { data, shape } = await run(trial, image);
        trial.images.push(qualityOf(data, expected.data, shape[3], shape[2]));
      }
    }
    return all.map(({ precision, images: found, cpuMs }) => ({
      ...{ precision, speed: wanted.cpuMs / cpuMs },
      ...gradeOf(found),
    }));
  } finally {
    await Promise.all(trials.map(({ model }) => model.dispose()));
  }
}

async function run(trial: Trial, image: Tensor): Promise<ReturnType<typeof onlyImage>> {
  const before = process.cpuUsage();
  const outputs = await trial.model.run(image);
  const { user, system } = process.cpuUsage(before);
  trial.cpuMs += (user + system) / 1000;
  return onlyImage(outputs);
}

/** The middle of a frame, at most `edge` pixels wide and high, as the input of a model. */
export function middleOf(pixels: Buffer, format: FrameFormat, edge: number): Tensor {
  const [width, height] = [Math.min(edge, format.width), Math.min(edge, format.height)];
  const area = { x: (format.width - width) >> 1, y: (format.height - height) >> 1, width, height };
  const data = new Float32Array(3 * width * height);
  readPlanes(asComponents(pixels, format), format.width, area, maxComponent(format), data);
  return { data, shape: [1, 3, height, width] };
}
