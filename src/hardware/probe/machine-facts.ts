import { availableParallelism, cpus, totalmem } from 'node:os';
import { readGroupLimits, type GroupLimits, type GroupPlaces } from '../../lib/control-groups.ts';

export interface MachineFacts {
  readonly processor: string;
  /** Cores that this process may use at the same time. */
  readonly cores: number;
  /** Bytes of memory of the whole machine. */
  readonly memoryBytes: number;
  readonly limits: GroupLimits;
}

export async function readMachineFacts(places?: GroupPlaces): Promise<MachineFacts> {
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    limits: await readGroupLimits(places),
  };
}
