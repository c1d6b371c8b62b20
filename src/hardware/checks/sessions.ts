import { isBusy, type HardwareReasonCode } from '../../domain/hardware-reason.ts';
import { passed, warned, type CheckResult } from '../check.ts';
import { describeSessions } from '../probe/detected-settings.ts';
import type { SessionFact } from '../probe/sessions.ts';

const REMEDIES: Partial<Record<HardwareReasonCode, string>> = {
  'driver-too-old': 'Install a newer NVIDIA driver, then run `framekiln doctor --probe`.',
  'not-built-in': 'Install an ffmpeg build with NVENC, such as the one from your distribution.',
  'driver-silent':
    'Restart the machine; if that does not help, install another version of the NVIDIA driver.',
};

/** Checks how many hardware encoders or decoders of a GPU can be used at the same time. */
export function checkSessions(
  what: 'NVENC' | 'NVDEC',
  facts: readonly SessionFact[],
  hasGpu: boolean,
): CheckResult {
  const cpu = what === 'NVENC' ? 'encoded' : 'decoded';
  const [first] = facts;
  if (first === undefined || (!hasGpu && first.sessions === 0))
    return passed(`none (no GPU): videos are ${cpu} on the CPU`);
  const found = facts.map(describeSessions).join('; ');
  if (facts.some(({ sessions }) => sessions > 0)) return passed(found);
  const reason = first.whyNoMore;
  const busy =
    reason !== null && isBusy(reason)
      ? 'Close the programs that use the GPU, or wait: every job tries again.'
      : null;
  const remedy = reason === null ? null : (REMEDIES[reason.code] ?? busy);
  return warned(found, remedy ?? `No action needed: videos are ${cpu} on the CPU.`);
}
