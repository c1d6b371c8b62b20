import { passed, warned, type CheckResult } from '../check.ts';
import type { GpuFacts } from '../probe/gpus.ts';

/** The GPUs that the NVIDIA driver knows, whatever can be done with them. */
export function checkDriver({ gpus, reason }: Pick<GpuFacts, 'gpus' | 'reason'>): CheckResult {
  if (gpus.length > 0) {
    const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(1);
    return passed(
      gpus
        .map(
          ({ name, driver, computeCapability, totalBytes }) =>
            `${name}, driver ${driver}, compute capability ${computeCapability}, ${gigabytes(totalBytes)} GB`,
        )
        .join('; '),
    );
  }
  const none = `no GPU: ${reason ?? 'the driver reports none'}`;
  // No driver is how most machines are; one that is there and does not work wants mending.
  if (/no nvidia-smi|not built|no NVIDIA driver/.test(reason ?? '')) return passed(none);
  return warned(none, 'Try `nvidia-smi` by hand; a restart, or another driver, may help.');
}
