import { passed, warned, type CheckResult } from '../check.ts';

/** Checks the settings. @param faults faults of all levels of settings, one sentence each */
export function checkSettings(faults: readonly string[]): CheckResult {
  if (faults.length === 0) return passed('valid; to list them: framekiln config show');
  return warned(
    faults.join('; '),
    'Fix these settings. To list all settings with their ranges, run: framekiln config example',
  );
}
