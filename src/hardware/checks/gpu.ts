import { passed, warned, type CheckResult } from '../check.ts';
import type { GpuUse } from '../gpu-use.ts';

/** Tells which device models run on; a warning if a command would change that. */
export function checkGpu(use: GpuUse): CheckResult {
  if (use.code === 'used') return passed(`models run on the GPU (${use.gpu})`);
  const found = `models run on the CPU: ${use.why}`;
  return use.command === null ? passed(found) : warned(found, `To change that, run: ${use.command}`);
}
