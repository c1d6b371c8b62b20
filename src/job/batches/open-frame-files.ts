import { FrameFiles } from '../../workspace/frame-files.ts';
import type { JobFolder } from '../../workspace/job-folder.ts';
import type { JobPlan } from '../../domain/job.ts';
import { spareMemoryBytes } from '../../workspace/memory.ts';
import { removeRamDisk } from '../../workspace/ram-disk.ts';
import type { JobContext } from '../job-context.ts';
import { openJobRamDisk } from './job-ram-disk.ts';

/** The raw frames of a job between its stages. */
export interface OpenFrameFiles {
  readonly files: FrameFiles;
  /** Removes the RAM disk and the spill folder. Not called after a failure: the next attempt uses their frames again. */
  readonly remove: () => Promise<void>;
}

export async function openFrameFiles(
  context: JobContext,
  folder: JobFolder,
  plan: JobPlan,
): Promise<OpenFrameFiles> {
  const ramDisk = await openJobRamDisk(context, plan);
  const files = new FrameFiles({
    ramPath: ramDisk.path,
    spillPath: await folder.openSpill(ramDisk),
    spareMemoryBytes: ramDisk.kind === 'folder' ? () => Promise.resolve(Infinity) : spareMemoryBytes,
    onSpill: (sentence) => context.log.warn(sentence),
  });
  return {
    files,
    remove: async () => {
      await removeRamDisk(ramDisk);
      await folder.removeSpill();
    },
  };
}
