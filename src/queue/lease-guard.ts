import { LeaseLostError } from '../domain/errors.ts';
import type { Lease } from '../domain/job.ts';

/** The condition of every write by a worker; its parameters are the properties of Lease. */
export const HELD = `id = @jobId AND state = 'running' AND lease_owner = @owner AND lease_token = @token`;

/** Throws LeaseLostError if a write under HELD changed no row, because the lease is lost. */
export function assertHeld(lease: Lease, changedRows: number): void {
  if (changedRows === 0) throw leaseLost(lease);
}

export function leaseLost({ jobId, token }: Lease): LeaseLostError {
  return new LeaseLostError(
    `Job ${jobId} now belongs to another worker or was stopped (lease ${token} is lost).`,
  );
}
