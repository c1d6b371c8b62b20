import type { Device } from '../../domain/recipe.ts';
import { probeGpus } from '../../hardware/probe/gpus.ts';
import { addonPath } from '../../inference/cuda-engine.ts';
import { availableMemoryBytes, totalMemoryBytes } from '../../workspace/memory.ts';

export interface DeviceMemory {
  /** `cpu`, or the name of the GPU. */
  readonly name: string;
  readonly totalBytes: number;
  readonly freeBytes: number;
}

/** Memory of the devices that a job may use. */
export interface DeviceMemories {
  readonly cpu: DeviceMemory;
  /** Memory of the GPU; null if the job may not use a GPU or no GPU answers. */
  readonly gpu: DeviceMemory | null;
}

/** Reads free memory, and that of the first GPU if the recipe allows one; gives up on a hanging driver after 5 s. */
export async function deviceMemories(device: Device): Promise<DeviceMemories> {
  const [gpu] = device === 'cpu' ? [] : (await probeGpus(addonPath())).gpus;
  return {
    cpu: { name: 'cpu', totalBytes: await totalMemoryBytes(), freeBytes: await availableMemoryBytes() },
    gpu: gpu ?? null,
  };
}
