const STEP_PERCENT = 5;

/**
 * Steps of 5 % that a job of `total` frames has passed between `before` and `after` finished frames, as percentages in
 * ascending order. After a resume, `before` starts at the frames already finished, so that no step is reported twice.
 */
export function passedSteps(before: number, after: number, total: number): number[] {
  if (total <= 0) return [];
  const stepAt = (frames: number) => Math.floor((frames * 100) / (total * STEP_PERCENT));
  const steps: number[] = [];
  for (let step = stepAt(before) + 1; step <= stepAt(after); step++) steps.push(step * STEP_PERCENT);
  return steps;
}
