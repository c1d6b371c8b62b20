import { readFile } from 'node:fs/promises';
import { EngineError } from '../../domain/errors.ts';
import type { ModelFile } from '../../domain/models.ts';
import { addonPath } from '../../inference/cuda-engine.ts';
import { makePlan } from '../../inference/plan/compile-plan.ts';
import { workspaceBytesPerPixel } from '../../inference/plan/plan-memory.ts';

/** Reading a large model takes a second, and many jobs use the same one. */
const known = new Map<string, number | null>();

/** GPU memory that our kernels need for each pixel that a model sees; null if they are not installed or do not support it. */
export async function kernelBytesPerPixel({ path, sha256, name }: ModelFile): Promise<number | null> {
  if (addonPath() === null) return null;
  if (!known.has(sha256)) known.set(sha256, await measure(path, name));
  return known.get(sha256) ?? null;
}

async function measure(path: string, name: string): Promise<number | null> {
  try {
    return workspaceBytesPerPixel(makePlan(await readFile(path), name));
  } catch (error) {
    if (error instanceof EngineError) return null;
    throw error;
  }
}
