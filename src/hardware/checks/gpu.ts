import { passed, warned, type CheckResult } from '../check.ts';

export interface GpuFinding {
  readonly name: string;
  readonly computeCapability: string;
  readonly driverVersion: string;
  readonly totalBytes: number;
  readonly freeBytes: number;
}

/** Checks which GPUs the CUDA kernels can use; `reason` says why there is none. */
export function checkGpu(devices: readonly GpuFinding[], reason: string | null): CheckResult {
  if (devices.length === 0) {
    return warned(
      `not used: ${reason ?? 'the driver reports no GPU'}`,
      'No action needed on machines without an NVIDIA GPU: models run on the CPU, which is slower.',
    );
  }
  const described = devices.map(
    ({ name, computeCapability, driverVersion, totalBytes, freeBytes }) =>
      `${name} (compute capability ${computeCapability}, driver for CUDA ${driverVersion}, ` +
      `${gigabytes(freeBytes)} of ${gigabytes(totalBytes)} GB free)`,
  );
  return passed(described.join(', '));
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(1);
}
