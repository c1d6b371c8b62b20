import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Settings } from '../config/settings.ts';
import type { Precision } from '../domain/job.ts';
import type { Recipe } from '../domain/recipe.ts';
import { choosePrecision } from '../inference/choose-precision.ts';
import { isCpuAddonBuilt } from '../inference/cpu-engine.ts';
import { UNKNOWN_OVERLAP } from '../inference/models/find-model.ts';
import { modelEntry, modelPurposeOf, type Manifest } from '../inference/models/manifest.ts';
import type { ModelArchitecture } from '../domain/models.ts';
import { usableThreads } from '../inference/usable-threads.ts';
import { readGroupLimits } from '../lib/control-groups.ts';

/** What decides how fast the model of a recipe runs, apart from the machine. */
export interface SpeedRequest {
  /** Equal for recipes that run equally fast per pixel. */
  readonly key: string;
  readonly architecture: ModelArchitecture | null;
  readonly overlap: number;
  readonly threads: number;
  readonly precision: Precision | undefined;
}

/**
 * Finds out what decides the speed of a recipe. A model of the manifest is known by its checksum and a file of the user by its
 * size and time, so that no large file is read.
 *
 * @throws ModelError MODEL_UNKNOWN, or ENOENT if the file of the user is missing
 */
export async function speedRequest(
  recipe: Recipe,
  { engine }: Pick<Settings, 'engine'>,
  manifest: Manifest,
): Promise<SpeedRequest | null> {
  const { model, device } = recipe;
  // How long lip-sync takes is not measured.
  if (model === 'lanczos' || recipe.pipeline === 'lip-sync') return null;
  const threads = usableThreads(engine.threads, await readGroupLimits());
  const file = model.endsWith('.onnx')
    ? { id: await idOfFile(model), architecture: null, overlap: UNKNOWN_OVERLAP }
    : idOfEntry(model, recipe, manifest);
  if (recipe.pipeline === 'dual-face') {
    const { width, height, detectEvery } = recipe;
    const key = ['dual-face', file.id, device, threads, width, height, detectEvery].join(' ');
    return { ...file, key, threads, precision: undefined };
  }
  const precision = isCpuAddonBuilt() ? choosePrecision(engine.precision, file) : undefined;
  const key = ['upscale', file.id, device, threads, precision ?? 'onnxruntime'].join(' ');
  return { ...file, key, threads, precision };
}

async function idOfFile(path: string): Promise<string> {
  const { size, mtimeMs } = await stat(path);
  return `${resolve(path)} ${size} ${mtimeMs}`;
}

function idOfEntry(name: string, recipe: Recipe, manifest: Manifest) {
  const entry = modelEntry(manifest, name, modelPurposeOf(recipe));
  const { architecture, overlap } = entry.purpose === 'upscale' ? entry : { architecture: null, overlap: 0 };
  return { id: entry.sha256, architecture, overlap };
}
