/**
 * The time in ms since 1970 as it was when this process started, plus the time that has passed since: for measuring how
 * long something lasts, because setting the system clock does not change it.
 */
export function steadyNowMs(): number {
  return Math.round(performance.timeOrigin + performance.now());
}
