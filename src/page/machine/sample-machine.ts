import { statfs } from 'node:fs/promises';
import { cpus } from 'node:os';
import type { GpuFigures } from '../../observability/metrics.ts';
import { availableMemoryBytes, totalMemoryBytes } from '../../workspace/memory.ts';
import { freeSpace } from './free-space.ts';
import type { Sample } from './history.ts';

/** Reads the figures of all GPUs; null if nvidia-smi is not installed. */
export type ReadGpus = () => Promise<readonly GpuFigures[] | null>;

/** Reads the load of this machine again and again; the use of the processor is that since the reading before. */
export class MachineSampler {
  readonly #outputDir: string;
  readonly #framesPerSecond: () => number | null;
  readonly #readGpus: ReadGpus;
  #before = processorTimes();
  /** Without nvidia-smi, it is not looked for again. */
  #hasGpu = true;

  /** @param framesPerSecond of all running jobs together */
  constructor(outputDir: string, framesPerSecond: () => number | null, readGpus: ReadGpus) {
    this.#readGpus = readGpus;
    this.#outputDir = outputDir;
    this.#framesPerSecond = framesPerSecond;
  }

  async read(): Promise<Sample> {
    const [now, before] = [processorTimes(), this.#before];
    this.#before = now;
    const gpus = this.#hasGpu ? await this.#readGpus() : null;
    this.#hasGpu = gpus !== null;
    const [free, total] = [await availableMemoryBytes(), await totalMemoryBytes()];
    const elapsed = now.total - before.total;
    return {
      processor: elapsed === 0 ? null : (1 - (now.idle - before.idle) / elapsed) * 100,
      memory: Math.min(100, Math.max(0, (1 - free / total) * 100)),
      ...useOfGpus(gpus ?? []),
      ramDisk: await usedBytes('/dev/shm'),
      freeDisk: await freeSpace(this.#outputDir),
      speed: this.#framesPerSecond(),
    };
  }
}

/** Use of all GPUs together, in percent: the busiest counts. */
export function useOfGpus(gpus: readonly GpuFigures[]): Pick<Sample, 'gpu' | 'videoMemory' | 'encoder'> {
  const most = (of: (gpu: GpuFigures) => number | null): number | null => {
    const known = gpus.map(of).filter((value) => value !== null);
    return known.length === 0 ? null : Math.max(...known);
  };
  return {
    gpu: most(({ utilizationPercent }) => utilizationPercent),
    videoMemory: most(({ usedBytes, totalBytes }) =>
      usedBytes === null || totalBytes === null ? null : (usedBytes / totalBytes) * 100,
    ),
    encoder: most(({ encoderPercent }) => encoderPercent),
  };
}

function processorTimes(): { readonly idle: number; readonly total: number } {
  let [idle, total] = [0, 0];
  for (const { times } of cpus()) {
    idle += times.idle;
    total += times.user + times.nice + times.sys + times.irq + times.idle;
  }
  return { idle, total };
}

async function usedBytes(path: string): Promise<number | null> {
  try {
    const { blocks, bfree, bsize } = await statfs(path);
    return (blocks - bfree) * bsize;
  } catch {
    return null;
  }
}
