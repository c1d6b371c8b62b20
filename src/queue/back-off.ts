const FIRST_WAIT_MS = 2_000;
const GROWTH = 4;
/** No job waits longer for its next try, whatever the reason. */
export const LONGEST_WAIT_MS = 5 * 60_000;

/** How long a job waits after its n-th failed try in a row, in ms: 2 s, 8 s, 32 s … 5 min. */
export function backOffMs(failedTries: number): number {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * GROWTH ** Math.max(0, failedTries - 1));
}
