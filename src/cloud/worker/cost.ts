/** What a job cost, by the time for which workers held it. */
export interface Cost {
  readonly secondsHeld: number;
  /** Seconds of them after the last checkpoint of a worker that was killed or lost the job are not known, and not counted. */
  readonly claims: number;
  /** null if the price of one of the machines is not known. */
  readonly costUsd: number | null;
  readonly costPerOutputMinuteUsd: number | null;
}

/** For how long one claim held the job, as far as known. */
export interface HeldBy {
  readonly secondsHeld: number;
  /** Price of its machine in USD; null if not known. */
  readonly pricePerHour: number | null;
}

export function costOf(claims: readonly HeldBy[], outputSeconds: number): Cost {
  let costUsd: number | null = 0;
  let total = 0;
  for (const { secondsHeld, pricePerHour } of claims) {
    total += secondsHeld;
    costUsd =
      costUsd === null || pricePerHour === null ? null : costUsd + (secondsHeld * pricePerHour) / 3600;
  }
  return {
    secondsHeld: total,
    claims: claims.length,
    costUsd,
    costPerOutputMinuteUsd: costUsd === null || outputSeconds <= 0 ? null : (costUsd * 60) / outputSeconds,
  };
}
