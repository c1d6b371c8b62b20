import { LeaseLostError } from '../domain/errors.ts';
import type { Lease } from '../domain/job.ts';

/** The condition that every write of a worker carries: its parameters are a Lease's properties. */
export const HELD = `id = @jobId AND state = 'running' AND lease_owner = @owner AND lease_token = @token`;

/** Throws LeaseLostError when a write under HELD met no row: another holds the job, or nobody does. */
export function assertHeld(lease: Lease, changedRows: number): void {
  if (changedRows === 0) throw leaseLost(lease);
}

export function leaseLost({ jobId, token }: Lease): LeaseLostError {
  return new LeaseLostError(
    `Job ${jobId} is no longer held under token ${token}; this worker writes nothing more for it.`,
  );
}
