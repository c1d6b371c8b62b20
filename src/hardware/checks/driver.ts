import { passed, warned, type CheckResult } from '../check.ts';
import type { GpuFacts } from '../probe/gpus.ts';

/** Lists the GPUs of the NVIDIA driver, whether they can be used or not. */
export function checkDriver({ gpus, reason, driver: state }: GpuFacts): CheckResult {
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
  const none = `no GPU: ${reason ?? 'the driver lists none'}`;
  if (state === 'absent') return passed(none);
  return warned(
    none,
    'Run `nvidia-smi` to see the error; restarting the machine or installing another driver version may help.',
  );
}
