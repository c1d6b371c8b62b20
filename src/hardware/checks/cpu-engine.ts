import { passed, warned, type CheckResult } from '../check.ts';

/**
 * Checks whether models can run on our own CPU kernels.
 *
 * @param instructionSets those that this processor has, the best first
 * @param reason why the kernels cannot be used; null if they can
 */
export function checkCpuEngine(instructionSets: readonly string[], reason: string | null): CheckResult {
  if (reason === null) return passed(`Framekiln CPU engine with ${instructionSets[0] ?? 'plain'}`);
  return warned(
    `onnxruntime, because the faster Framekiln CPU engine cannot be used: ${reason}`,
    'Install a C++ compiler (Debian, Ubuntu: `sudo apt-get install g++`), then run: npm run setup',
  );
}
