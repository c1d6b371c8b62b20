/** How a try is written down that ended with its worker: killed, crashed in native code, hung. */
export function workerCrash(
  how: string,
  maxAttempts: number,
): { code: string; message: string; maxAttempts: number } {
  return { code: 'WORKER_CRASHED', message: `The worker died (${how}) while it had this job.`, maxAttempts };
}
