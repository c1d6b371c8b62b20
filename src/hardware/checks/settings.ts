import { passed, warned, type CheckResult } from '../check.ts';

/** @param faults of all levels of the settings, a sentence each */
export function checkSettings(faults: readonly string[]): CheckResult {
  if (faults.length === 0) return passed('nothing is wrong with them; `framekiln config show` lists them');
  return warned(faults.join('; '), 'Mend what is named; framekiln.example.yaml shows every setting.');
}
