const STEP_PERCENT = 5;

/**
 * Whether a job of `total` frames has passed a step of 5 % between `before` and `after` finished frames. After a resume,
 * `before` starts at the frames already finished, so that no step counts twice.
 */
export function hasPassedStep(before: number, after: number, total: number): boolean {
  if (total <= 0) return false;
  const stepAt = (frames: number) => Math.floor((frames * 100) / (total * STEP_PERCENT));
  return stepAt(after) > stepAt(before);
}
