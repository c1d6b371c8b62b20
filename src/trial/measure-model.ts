import { availableParallelism } from 'node:os';
import type { Precision } from '../domain/job.ts';
import { InternalError } from '../domain/errors.ts';
import { frameBytes, type FrameFormat } from '../domain/media-info.ts';
import type { ModelFile } from '../domain/models.ts';
import type { Device } from '../domain/recipe.ts';
import type { ModelSpeed } from '../domain/speed.ts';
import { probeGpus } from '../hardware/probe/gpus.ts';
import { GPU_LANES, usableVideoMemory } from '../hardware/video-memory.ts';
import { addonPath } from '../inference/cuda-engine.ts';
import type { Engine } from '../inference/engine.ts';
import { readUpscaler } from '../inference/models/read-upscaler.ts';
import { Semaphore } from '../lib/semaphore.ts';
import { Upscaler } from '../pipelines/upscale/upscaler.ts';
import { isDisturbed } from './is-disturbed.ts';
import { median } from './median.ts';
import { startStopwatch } from './stopwatch.ts';

/** Sizes of the test image. The first takes a large model a few tenths of a second on two cores; a GPU needs larger ones. */
const SIZES = [
  [96, 64],
  [288, 192],
  [960, 540],
] as const;
/** A run that is shorter than this says little about longer ones. */
const SHORTEST_RUN_MS = 60;
/** Time for measuring, without loading. */
const BUDGET_MS = 1500;
const FEWEST_RUNS = 3;

export interface ModelToMeasure {
  readonly model: ModelFile;
  readonly device: Device;
  /** 0: one per core. */
  readonly threads: number;
  readonly precision: Precision | undefined;
}

/** Measures a model on the engine that a job would use, with frames that differ from each other. */
export async function measureModel(request: ModelToMeasure, engines: readonly Engine[]): Promise<ModelSpeed> {
  const onnx = await readUpscaler(request.model);
  const [smallest, ...larger] = SIZES;
  let trial = await Trial.open(request, onnx, engines, smallest);
  for (const size of larger) {
    if ((await trial.run()) >= SHORTEST_RUN_MS) break;
    await trial.close();
    trial = await Trial.open(request, onnx, engines, size);
    await trial.run();
  }
  try {
    const msPerPixel = await trial.measure(request.threads || availableParallelism());
    const { engine, scale, model } = trial.upscaler.current;
    return {
      engine: model.detail === undefined ? engine.name : `${engine.name} (${model.detail})`,
      device: engine.device,
      ...{ scale, msPerPixel, loadMs: Math.round(trial.loadMs) },
      memoryBytes: engine.device === 'gpu' ? await memoryOfFrame() : null,
    };
  } finally {
    await trial.close();
  }
}

/** A model that is loaded for images of one size. */
class Trial {
  readonly upscaler: Upscaler;
  readonly loadMs: number;
  readonly #input: FrameFormat;
  #framesMade = 0;

  static async open(
    { model, device, threads, precision }: ModelToMeasure,
    onnx: Uint8Array,
    engines: readonly Engine[],
    [width, height]: readonly [number, number],
  ): Promise<Trial> {
    const input: FrameFormat = { width, height, pixelFormat: 'rgb24' };
    const elapsedMs = startStopwatch();
    const upscaler = await Upscaler.open({
      ...{ model: onnx, device, engines, threads, precision, input },
      ...{ webGpu: 'undecided', tile: null, overlap: model.overlap, onStepDown: fail },
      findsSizes: model.architecture === null,
    });
    return new Trial(upscaler, input, elapsedMs(1));
  }

  private constructor(upscaler: Upscaler, input: FrameFormat, loadMs: number) {
    this.upscaler = upscaler;
    this.loadMs = loadMs;
    this.#input = input;
  }

  /** Upscales as many frames as the engine takes at the same time. @returns milliseconds per frame */
  async run(): Promise<number> {
    const atOnce = this.upscaler.current.model.concurrency ?? 1;
    const frames = Array.from({ length: 2 * atOnce }, () => this.#nextFrame());
    const startedAtMs = performance.now();
    const semaphore = new Semaphore(atOnce);
    const upscale = async (frame: Buffer): Promise<void> => {
      const permit = await semaphore.acquire();
      await this.upscaler.upscale(frame, new AbortController().signal).finally(() => permit.release());
    };
    await Promise.all(frames.map(upscale));
    return (performance.now() - startedAtMs) / frames.length;
  }

  /** Milliseconds per pixel of an otherwise idle device. @param threads that the engine uses on the CPU */
  async measure(threads: number): Promise<number> {
    const times: number[] = [];
    const pixels = this.#input.width * this.#input.height;
    const startedAtMs = performance.now();
    const cpuBefore = process.cpuUsage();
    const wasDisturbed = isDisturbed();
    while (times.length < FEWEST_RUNS || performance.now() - startedAtMs < BUDGET_MS)
      times.push(await this.run());
    const { user, system } = process.cpuUsage(cpuBefore);
    const wallMs = median(times);
    const { device } = this.upscaler.current.engine;
    if (device === 'gpu' || !wasDisturbed()) return wallMs / pixels;
    // Other programs have used the CPU as well, so the time that this process had counts.
    const frames = times.length * 2 * (this.upscaler.current.model.concurrency ?? 1);
    const cpuMs = (user + system) / 1000 / frames / threads;
    return Math.min(wallMs, cpuMs) / pixels;
  }

  close(): Promise<void> {
    return this.upscaler.close();
  }

  #nextFrame(): Buffer {
    const seed = 7919 + 2 * this.#framesMade++;
    return Buffer.from(Uint8Array.from({ length: frameBytes(this.#input) }, (_, i) => (i * seed) % 251));
  }
}

/** The speed of the CPU would be taken for that of the GPU from then on. */
function fail(reason: string): never {
  throw new InternalError(`the engine failed while it was being measured: ${reason}`);
}

async function memoryOfFrame(): Promise<number | null> {
  const [gpu] = (await probeGpus(addonPath())).gpus;
  return gpu === undefined ? null : usableVideoMemory(gpu) / GPU_LANES;
}
