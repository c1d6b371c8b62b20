const STEP_PERCENT = 5;

/**
 * The steps of 5 % that lie in (before, after], as percentages in ascending order: what there is to report when a
 * job of `total` frames went from `before` finished frames to `after`. After a resume `before` starts at the frames
 * that were already finished, so that no step is told twice.
 */
export function passedSteps(before: number, after: number, total: number): number[] {
  if (total <= 0) return [];
  const stepAt = (frames: number) => Math.floor((frames * 100) / (total * STEP_PERCENT));
  const steps: number[] = [];
  for (let step = stepAt(before) + 1; step <= stepAt(after); step++) steps.push(step * STEP_PERCENT);
  return steps;
}
