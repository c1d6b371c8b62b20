import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { isMissingFile } from '../../lib/file-errors.ts';

export interface MachineFacts {
  readonly processor: string;
  /** That this process may use at once. */
  readonly cores: number;
  readonly memoryBytes: number;
  /** What a control group (a container, a systemd slice) allows; null where it sets no limit. */
  readonly limits: { readonly memoryBytes: number | null; readonly cores: number | null };
}

/** @param groupFolder of the control group that this process is in, as it sees it itself */
export async function readMachineFacts(groupFolder = '/sys/fs/cgroup'): Promise<MachineFacts> {
  const memory = await readOrNull(`${groupFolder}/memory.max`);
  const [quota, period] = ((await readOrNull(`${groupFolder}/cpu.max`)) ?? 'max').split(' ').map(Number);
  const coresAllowed = (quota ?? NaN) / (period ?? NaN);
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    limits: {
      memoryBytes: memory === null || memory === 'max' ? null : Number(memory),
      cores: Number.isFinite(coresAllowed) ? coresAllowed : null,
    },
  };
}

/** Control groups of the first version, and machines without any, do not have these files. */
async function readOrNull(path: string): Promise<string | null> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (isMissingFile(error)) return null;
    throw error;
  }
}
