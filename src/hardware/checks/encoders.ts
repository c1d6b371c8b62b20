import { failed, passed, warned, type CheckResult } from '../check.ts';

export interface EncoderTrial {
  readonly encoder: string;
  readonly hardware: boolean;
  /** Why a trial encode failed, in a few words; null when it worked. */
  readonly whyNot: string | null;
}

/** A capability is a trial encode: `ffmpeg -encoders` lists NVENC on machines without a GPU. */
export function checkEncoders(trials: readonly EncoderTrial[]): CheckResult {
  const told = trials
    .map(({ encoder, whyNot }) => (whyNot === null ? `${encoder} works` : `${encoder} does not (${whyNot})`))
    .join(', ');
  const broken = trials.filter((trial) => trial.whyNot !== null);
  if (broken.some((trial) => !trial.hardware)) {
    return failed(told, 'Install an ffmpeg that is built with libx264 and libx265.');
  }
  if (broken.length === 0) return passed(told);
  return warned(told, 'Nothing needs mending: videos are encoded on the CPU, which is slower.');
}
