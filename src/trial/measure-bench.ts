import { InternalError } from '../domain/errors.ts';
import { PRECISIONS, type Precision } from '../domain/job.ts';
import type { ModelFile } from '../domain/models.ts';
import type { Device, UpscaleRecipe } from '../domain/recipe.ts';
import type { CoreSpeed, MeasuredTime, ModelSpeed } from '../domain/speed.ts';
import { isCpuAddonBuilt } from '../inference/cpu-engine.ts';
import {
  BENCH_FRAME_RATE,
  BENCH_LENGTHS,
  BENCH_SCALES,
  BENCH_SIZES,
  type BenchModel,
} from './bench-report.ts';
import type { CoreSettings } from './measure-core.ts';
import { recipeTime } from './recipe-time.ts';
import { startMeasurement } from './run-measurement.ts';

/** The size and scale whose time is given by length of the video. */
const LONG_SIZE = BENCH_SIZES[2];
const LONG_SCALE = 2;

export interface BenchOptions {
  readonly base: UpscaleRecipe;
  /** 0: one per core. */
  readonly threads: number;
  /** Memory that inference may use on the CPU. */
  readonly freeBytes: number;
  readonly core: CoreSpeed;
}

/** Measures what one core does beside inference. @throws InternalError */
export async function measureBenchCore(settings: CoreSettings): Promise<CoreSpeed> {
  const core = await startMeasurement<CoreSpeed>({ kind: 'core', ...settings }).result;
  if (core === null) throw new InternalError('this machine could not be measured; run framekiln doctor');
  return core;
}

/** Measures a model on the GPU, if one runs it, and on the CPU with each precision. */
export async function* measureBenchModel(
  model: ModelFile,
  name: string,
  options: BenchOptions,
): AsyncGenerator<BenchModel> {
  const { threads } = options;
  const measure = (device: Device, precision: Precision | undefined): Promise<ModelSpeed | null> =>
    startMeasurement<ModelSpeed>({ kind: 'model', model, device, threads, precision }).result;
  const onGpu = await measure('gpu-only', undefined);
  if (onGpu !== null) yield benchRow(name, model, onGpu, null, options);
  for (const precision of isCpuAddonBuilt() ? PRECISIONS : [undefined]) {
    const speed = await measure('cpu', precision);
    if (speed === null) continue;
    yield benchRow(name, model, speed, precision ?? null, options);
  }
}

/** The speed of `lanczos`, which follows from that of a core. */
export function benchLanczos(options: BenchOptions): BenchModel {
  return benchRow('lanczos', null, null, null, options);
}

/** The speed of whole jobs, by what was measured. */
function benchRow(
  name: string,
  model: ModelFile | null,
  speed: ModelSpeed | null,
  precision: Precision | null,
  { base, core, freeBytes, threads }: BenchOptions,
): BenchModel {
  const models = speed === null ? {} : { [name]: speed };
  const time = (size: (typeof BENCH_SIZES)[number], scale: number): MeasuredTime => {
    const { architecture, overlap } = model ?? { architecture: null, overlap: 0 };
    const request =
      model === null
        ? null
        : { key: name, architecture, overlap, threads, precision: precision ?? undefined };
    const recipe = { ...base, model: name, scale };
    const found = recipeTime(recipe, size, request, { core, models }, freeBytes);
    if (found === null) throw new InternalError(`the time of ${name} is unknown`);
    return found;
  };
  const { frameMs, startMs } = time(LONG_SIZE, LONG_SCALE);
  return {
    model: name,
    ...{ device: speed?.device ?? 'cpu', engine: speed?.engine ?? null, precision },
    rates: BENCH_SIZES.flatMap((size) =>
      BENCH_SCALES.map((scale) => ({
        ...{ size: size.name, scale, framesPerSecond: 1000 / time(size, scale).frameMs },
      })),
    ),
    seconds: BENCH_LENGTHS.map(({ name: length, seconds }) => ({
      ...{ length, seconds: (startMs + seconds * BENCH_FRAME_RATE * frameMs) / 1000 },
    })),
  };
}
