import { readFile } from 'node:fs/promises';
import { EngineError, ModelError } from '../../domain/errors.ts';
import type { ModelFile } from '../../domain/models.ts';
import { addonPath } from '../../inference/cuda-engine.ts';
import { makePlan } from '../../inference/plan/compile-plan.ts';
import { workspaceBytesPerPixel } from '../../inference/plan/plan-memory.ts';

/** Reading a large model takes a second, and many jobs use the same one. */
const known = new Map<string, number | null>();

/** GPU memory that our kernels need for each pixel that a model sees; null if they are not installed or do not support it. */
export async function kernelBytesPerPixel({ path, sha256, name }: ModelFile): Promise<number | null> {
  if (addonPath() === null) return null;
  if (!known.has(sha256)) known.set(sha256, kernelBytesOf(await readFile(path), name));
  return known.get(sha256) ?? null;
}

/** The same for the bytes of a model file. */
export function kernelBytesOf(file: Uint8Array, name: string): number | null {
  try {
    return workspaceBytesPerPixel(makePlan(file, name));
  } catch (error) {
    // Another engine may be able to run what our kernels cannot.
    if (error instanceof EngineError || error instanceof ModelError) return null;
    throw error;
  }
}
