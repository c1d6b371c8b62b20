import { passed, warned, type CheckResult } from '../check.ts';

/**
 * Checks whether models can run on our own CPU kernels.
 *
 * @param instructionSets those that this processor has, the best first
 * @param reason why the kernels cannot be used; null if they can
 * @param packageName npm package with the kernels; null if this is a project folder, where set-up builds them
 */
export function checkCpuEngine(
  instructionSets: readonly string[],
  reason: string | null,
  packageName: string | null,
): CheckResult {
  if (reason === null) return passed(`Framekiln CPU engine with ${instructionSets[0] ?? 'plain'}`);
  return warned(
    `onnxruntime, because the faster Framekiln CPU engine cannot be used: ${reason}`,
    packageName === null
      ? 'Install a C++ compiler (Debian, Ubuntu: `sudo apt-get install g++`), then run: npm run setup'
      : `Install the package ${packageName} of the same release.`,
  );
}
