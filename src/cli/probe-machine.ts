import type { Home } from '../config/home.ts';
import { toError } from '../domain/errors.ts';
import { probeHardware } from '../hardware/probe/probe.ts';
import type { HardwareFacts } from '../hardware/probe/hardware-facts.ts';
import { addonPath } from '../inference/cuda-engine.ts';

/**
 * Probes this machine where that is due. Without its result Framekiln works too, on safe defaults, so a failure is told
 * and ends nothing.
 *
 * @param tell gets sentences for the person
 */
export async function probeMachine(
  home: Home,
  tell: (sentence: string) => void,
  again = false,
): Promise<HardwareFacts | null> {
  try {
    return await probeHardware({
      home,
      addonPath: addonPath(),
      again,
      onLongProbe: () => tell('trying out what this machine can do; this is done once …'),
    });
  } catch (error) {
    tell(`this machine could not be probed (${toError(error).message}); the safe defaults hold.`);
    return null;
  }
}
