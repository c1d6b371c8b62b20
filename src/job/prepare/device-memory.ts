import type { Device } from '../../domain/recipe.ts';
import { probeGpus } from '../../hardware/probe/gpus.ts';
import { addonPath } from '../../inference/cuda-engine.ts';
import { availableMemoryBytes, totalMemoryBytes } from '../../workspace/memory.ts';

export interface DeviceMemory {
  /** `cpu`, or the GPU's name. */
  readonly name: string;
  readonly totalBytes: number;
  readonly freeBytes: number;
}

/** What models may run in, as it is now. */
export interface DeviceMemories {
  readonly cpu: DeviceMemory;
  /** null where the job may not use a GPU, or no GPU tells of itself. */
  readonly gpu: DeviceMemory | null;
}

/** Asks the system and, where the recipe allows a GPU, the first GPU; a driver that hangs is given up after 5 s. */
export async function deviceMemories(device: Device): Promise<DeviceMemories> {
  const [gpu] = device === 'cpu' ? [] : (await probeGpus(addonPath())).gpus;
  return {
    cpu: { name: 'cpu', totalBytes: totalMemoryBytes(), freeBytes: await availableMemoryBytes() },
    gpu: gpu ?? null,
  };
}
