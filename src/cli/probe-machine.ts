import type { Home } from '../config/home.ts';
import { toError } from '../domain/errors.ts';
import { probeHardware } from '../hardware/probe/probe.ts';
import type { HardwareFacts } from '../hardware/probe/hardware-facts.ts';
import { addonPath } from '../inference/cuda-engine.ts';
import { withoutFullStop } from '../lib/without-full-stop.ts';

/**
 * Probes this machine if that is due. A failure is only reported, because Framekiln also works with the values last detected, or with defaults.
 *
 * @param tell prints a line for the user
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
      onLongProbe: () =>
        tell(`probing the hardware${again ? '' : ' (only the first time and after changes)'} …`),
    });
  } catch (error) {
    tell(
      `cannot probe this machine (${withoutFullStop(toError(error).message)}); the values last detected apply, or defaults`,
    );
    return null;
  }
}
