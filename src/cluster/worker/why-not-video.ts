import { programVersion } from '../../config/program-version.ts';
import { toError } from '../../domain/errors.ts';
import { findModel } from '../../inference/models/find-model.ts';
import { readKnownModels } from '../../inference/models/known-models.ts';
import { isCpuAddonBuilt } from '../../inference/cpu-engine.ts';
import { deviceMemories } from '../../job/prepare/device-memory.ts';
import { withoutFullStop } from '../../lib/without-full-stop.ts';
import type { VideoSetup } from '../protocol.ts';

/** Why this machine would not make the same frames as the plan of a video asks for; null if it would. */
export async function whyNotVideo(
  { version, recipe, plan, device }: VideoSetup,
  modelFolders: readonly string[],
): Promise<string | null> {
  const own = programVersion();
  if (version !== own)
    return `this machine has Framekiln ${own}, the coordinator ${version}; install the same version on both`;
  if (recipe.model === 'lanczos') return null;
  if (device === 'gpu' && (await deviceMemories('gpu')).gpu === null)
    return 'the video is planned for GPUs, and no GPU works on this machine';
  if (plan.precision !== undefined && device === 'cpu' && !isCpuAddonBuilt())
    return 'the native CPU engine is not built on this machine; build it with npm run build:native';
  try {
    const { sha256 } = await findModel(recipe.model, modelFolders, await readKnownModels(), 'upscale');
    return sha256 === plan.modelSha256
      ? null
      : `the model ${recipe.model} on this machine differs from that of the coordinator; copy it from there`;
  } catch (error) {
    return withoutFullStop(toError(error).message);
  }
}
