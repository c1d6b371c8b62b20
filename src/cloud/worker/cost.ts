/** What a job cost, by the time for which workers held it. */
export interface Cost {
  readonly secondsHeld: number;
  /** Seconds of them after the last checkpoint of a worker that was killed or lost the job are not known, and not counted. */
  readonly claims: number;
  /** null if the price of the machine is not known. */
  readonly costUsd: number | null;
  readonly costPerOutputMinuteUsd: number | null;
}

/**
 * @param secondsOfClaim seconds for which each claim held the job, as far as known
 * @param pricePerHour of this machine in USD; null if not known
 */
export function costOf(
  secondsOfClaim: ReadonlyMap<number, number>,
  pricePerHour: number | null,
  outputSeconds: number,
): Cost {
  const secondsHeld = [...secondsOfClaim.values()].reduce((sum, seconds) => sum + seconds, 0);
  const costUsd = pricePerHour === null ? null : (secondsHeld * pricePerHour) / 3600;
  return {
    secondsHeld,
    claims: secondsOfClaim.size,
    costUsd,
    costPerOutputMinuteUsd: costUsd === null || outputSeconds <= 0 ? null : (costUsd * 60) / outputSeconds,
  };
}
