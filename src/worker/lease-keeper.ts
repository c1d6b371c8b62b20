import type { Lease } from '../domain/job.ts';
import { LeaseLostError } from '../domain/errors.ts';
import { LEASE_MS } from '../queue/lease-store.ts';
import type { Queue } from '../queue/queue.ts';

const RENEW_EVERY_MS = 10_000;

/** Renews a lease until closed. Calls `onLost` once when the lease is gone. */
export function keepLease(
  queue: Queue,
  lease: Lease,
  onLost: (error: LeaseLostError) => void,
): { close(): void } {
  const timer = setInterval(() => {
    try {
      if (queue.leases.renew(lease, Date.now(), LEASE_MS)) return;
    } catch {
      return; // Disk full or database locked: the lease outlives two missed renewals, and every write checks it.
    }
    clearInterval(timer);
    onLost(new LeaseLostError(`Job ${lease.jobId} lost its lease while it was running.`));
  }, RENEW_EVERY_MS);
  return { close: () => clearInterval(timer) };
}
