import { isBusyReason } from '../../domain/nvenc-reason.ts';
import { passed, warned, type CheckResult } from '../check.ts';
import { describeSessions } from '../probe/detected-settings.ts';
import type { SessionFact } from '../probe/sessions.ts';

const BY_REASON: readonly (readonly [RegExp, string])[] = [
  [/driver is too old/, 'Install a newer NVIDIA driver, and run `framekiln doctor --probe`.'],
  [/built without NVENC/, 'Install an ffmpeg that is built with NVENC, such as your distribution’s.'],
  [/does not answer/, 'Restart the machine; if it goes on, install another NVIDIA driver.'],
];

/** How much of a video GPU's own encoders and decoders can be used at once. */
export function checkSessions(
  what: 'NVENC' | 'NVDEC',
  facts: readonly SessionFact[],
  hasGpu: boolean,
): CheckResult {
  const cpu = what === 'NVENC' ? 'encoded' : 'decoded';
  const [first] = facts;
  if (first === undefined || (!hasGpu && first.sessions === 0))
    return passed(`none, for want of a GPU: videos are ${cpu} on the CPU`);
  const found = facts.map(describeSessions).join('; ');
  if (facts.some(({ sessions }) => sessions > 0)) return passed(found);
  const why = first.whyNoMore ?? '';
  const busy = isBusyReason(why) ? 'End the program that has them, or leave it: jobs try again.' : null;
  const remedy = BY_REASON.find(([pattern]) => pattern.test(why))?.[1] ?? busy;
  return warned(found, remedy ?? `Nothing needs mending: videos are ${cpu} on the CPU.`);
}
