import { failed, passed, warned, type CheckResult } from '../check.ts';

export interface EncoderTrial {
  readonly encoder: string;
  readonly hardware: boolean;
  /** Why the trial encode failed, in a few words; null if it succeeded. */
  readonly whyNot: string | null;
}

/** Checks encoders by trial encodes, because `ffmpeg -encoders` lists NVENC even on machines without a GPU. */
export function checkEncoders(trials: readonly EncoderTrial[]): CheckResult {
  const found = trials
    .map(({ encoder, whyNot }) =>
      whyNot === null ? `${encoder} works` : `${encoder} does not work (${whyNot})`,
    )
    .join(', ');
  const broken = trials.filter((trial) => trial.whyNot !== null);
  if (broken.some((trial) => !trial.hardware)) {
    return failed(found, 'Install an ffmpeg build with libx264 and libx265.');
  }
  if (broken.length === 0) return passed(found);
  return warned(found, 'No action needed: videos are encoded on the CPU, which is slower.');
}
