import { passed, warned, type CheckResult } from '../check.ts';
import { describeGpuUse, type GpuUse } from '../gpu-use.ts';

/** Tells which device models run on; a warning if something can be done about the CPU. */
export function checkGpu(use: GpuUse): CheckResult {
  if (use.code === 'used') return passed(`models run on the GPU (${use.gpu})`);
  if (use.code === 'webgpu' && use.whyNotCuda === null) return passed(describeGpuUse(use));
  const found =
    use.code === 'webgpu' ? describeGpuUse({ ...use, advice: null }) : `models run on the CPU: ${use.why}`;
  if (use.advice === null) return passed(found);
  return warned(found, `${use.advice[0]?.toUpperCase() ?? ''}${use.advice.slice(1)}`);
}
