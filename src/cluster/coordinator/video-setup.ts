import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { programVersion } from '../../config/program-version.ts';
import type { JobPlan } from '../../domain/job.ts';
import { recipeText, type UpscaleRecipe } from '../../domain/recipe.ts';
import type { JobContext } from '../../job/job-context.ts';
import type { PreparedJob } from '../../job/prepare/prepared-job.ts';
import { sha256File } from '../../lib/sha256-file.ts';
import type { VideoSetup } from '../protocol.ts';

/**
 * The plan with what each machine would otherwise decide for itself. WebGPU is left out, because its speed decides
 * whether it is used.
 */
export function pinnedPlan(plan: JobPlan): JobPlan {
  return plan.webGpu === 'undecided' ? { ...plan, webGpu: 'unused' } : plan;
}

/** What workers must know about a job, with the key under which its batches are found again after a restart. */
export async function videoSetup(
  { home, job, signal }: JobContext,
  recipe: UpscaleRecipe,
  { media, index, memories }: Pick<PreparedJob, 'media' | 'index' | 'memories'>,
  plan: JobPlan,
): Promise<VideoSetup> {
  const sourceSha256 = media.path === job.sourcePath ? job.fingerprint : await sha256File(media.path, signal);
  const framesTotal = index.pts.length;
  const version = programVersion();
  const same = [
    home.id,
    job.id,
    sourceSha256,
    recipeText(recipe),
    withoutLaterChoices(plan),
    framesTotal,
    version,
  ];
  return {
    key: createHash('sha256').update(JSON.stringify(same)).digest('hex').slice(0, 32),
    homeId: home.id,
    jobId: job.id,
    name: basename(job.sourcePath),
    ...{ version, recipe, plan, framesTotal, sourceSha256 },
    device: recipe.model === 'lanczos' || (memories?.gpu ?? null) === null ? 'cpu' : 'gpu',
  };
}

/** A tile may shrink, and ffmpeg be updated, in the middle of a job; batches that are finished stay. */
function withoutLaterChoices(plan: JobPlan): object {
  return { ...plan, tile: undefined, gpuTile: undefined, otherGpuTile: undefined, ffmpegVersion: undefined };
}
