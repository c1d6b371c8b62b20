import type { GroupLimits } from '../lib/control-groups.ts';

/** Threads for inference: as many as the settings say or, for one per core, as many as control groups allow; 0: all cores. */
export function usableThreads(threads: number, { cores }: Pick<GroupLimits, 'cores'>): number {
  return threads > 0 || cores === null ? threads : Math.max(1, Math.ceil(cores));
}
