import { isBusy, type HardwareReasonCode } from '../../domain/hardware-reason.ts';
import { passed, warned, type CheckResult } from '../check.ts';
import { describeSessions } from '../probe/detected-settings.ts';
import type { SessionFact } from '../probe/sessions.ts';

const REMEDIES: Partial<Record<HardwareReasonCode, string>> = {
  'driver-too-old': 'Install a newer NVIDIA driver, then run `framekiln doctor --probe`.',
  'not-built-in': 'Install an ffmpeg build with NVENC, such as that of Debian or Ubuntu.',
  'driver-silent':
    'Restart the machine; if that does not help, install another version of the NVIDIA driver.',
};

/** Every job tries NVENC itself, but only a decoder that passed the test is used. */
const BUSY_REMEDIES = {
  NVENC: 'Close the programs that use the GPU, or wait: every job tries again.',
  NVDEC: 'Close the programs that use the GPU, then run: framekiln doctor --probe',
};

/**
 * Checks how many hardware encoders or decoders of a GPU can be used at the same time.
 *
 * @param facts null if the hardware could not be probed
 */
export function checkSessions(
  what: 'NVENC' | 'NVDEC',
  facts: readonly SessionFact[] | null,
  hasGpu: boolean,
): CheckResult {
  const cpu = what === 'NVENC' ? 'encoded' : 'decoded';
  if (facts === null) return passed('not tested: the hardware could not be probed');
  const [first] = facts;
  if (!hasGpu && (first === undefined || first.sessions === 0))
    return passed(`none (no NVIDIA GPU)${what === 'NVENC' ? ': videos are encoded on the CPU' : ''}`);
  if (first === undefined) return passed('not tested: ffmpeg is missing or does not run');
  const found = facts.map(describeSessions).join('; ');
  if (facts.some(({ sessions }) => sessions > 0)) return passed(found);
  const reason = first.whyNoMore;
  const busy = reason !== null && isBusy(reason) ? BUSY_REMEDIES[what] : null;
  const remedy = reason === null ? null : (REMEDIES[reason.code] ?? busy);
  return warned(found, remedy ?? `No action needed: videos are ${cpu} on the CPU.`);
}
