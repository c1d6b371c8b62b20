import { cpus } from 'node:os';
import { statfs } from 'node:fs/promises';
import { freeBytesOrNull } from '../../workspace/free-bytes.ts';
import { availableMemoryBytes, totalMemoryBytes } from '../../workspace/memory.ts';
import { readGpuSample } from './gpu-sample.ts';
import type { Sample } from './history.ts';

/** Reads the load of this machine again and again; the use of the processor is that since the reading before. */
export class MachineSampler {
  readonly #outputDir: string;
  readonly #framesPerSecond: () => number | null;
  #before = processorTimes();
  /** Without nvidia-smi, it is not looked for again. */
  #hasGpu = true;

  /** @param framesPerSecond of all running jobs together */
  constructor(outputDir: string, framesPerSecond: () => number | null) {
    this.#outputDir = outputDir;
    this.#framesPerSecond = framesPerSecond;
  }

  async read(): Promise<Sample> {
    const [now, before] = [processorTimes(), this.#before];
    this.#before = now;
    const gpu = this.#hasGpu ? await readGpuSample() : null;
    this.#hasGpu = gpu !== null;
    const [free, total] = [await availableMemoryBytes(), await totalMemoryBytes()];
    const elapsed = now.total - before.total;
    return {
      processor: elapsed === 0 ? null : (1 - (now.idle - before.idle) / elapsed) * 100,
      memory: Math.min(100, Math.max(0, (1 - free / total) * 100)),
      gpu: gpu?.gpu ?? null,
      videoMemory: gpu?.videoMemory ?? null,
      encoder: gpu?.encoder ?? null,
      ramDisk: await usedBytes('/dev/shm'),
      freeDisk: await freeBytesOrNull(this.#outputDir).catch(() => null),
      speed: this.#framesPerSecond(),
    };
  }
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
