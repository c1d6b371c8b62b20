import type { JobPlan } from '../../domain/job.ts';
import { recipeText } from '../../domain/recipe.ts';
import { ramDiskPlaces } from '../../workspace/ram-disk-places.ts';
import { openRamDisk, type RamDisk } from '../../workspace/ram-disk.ts';
import type { JobContext } from '../job-context.ts';

/** Opens the RAM disk of the job, and keeps frames on it that a dead process had made for the same job and plan. */
export async function openJobRamDisk(
  { home, job, lease, settings, log }: JobContext,
  plan: JobPlan,
): Promise<RamDisk> {
  const stamp = {
    owner: lease.owner,
    contents: JSON.stringify([job.id, job.fingerprint, recipeText(job.recipe), withoutLaterChoices(plan)]),
  };
  const ramDisk = await openRamDisk(ramDiskPlaces(home), lease, stamp, settings.workspace);
  const reason = ramDisk.reason === null ? '' : ` (${ramDisk.reason})`;
  const place = `${ramDisk.path}, up to ${Math.floor(ramDisk.sizeBytes / 1024 ** 2)} MB`;
  const isOnDisk = ramDisk.kind === 'folder';
  log.info(isOnDisk ? `no RAM disk${reason}; writing frames to ${place}` : `RAM disk: ${place}${reason}`);
  return ramDisk;
}

/** The part of a plan that frames must share to be used again. A tile size may shrink in the middle of a
 * job, and WebGPU is chosen after the RAM disk was opened, but before the first frame. */
function withoutLaterChoices(plan: JobPlan): object {
  return { ...plan, tile: undefined, gpuTile: undefined, otherGpuTile: undefined, webGpu: undefined };
}
