/** The failure of an attempt during which the worker was killed, crashed or hung. */
export function workerCrash(
  how: string,
  maxAttempts: number,
): { code: string; message: string; maxAttempts: number } {
  return {
    code: 'WORKER_CRASHED',
    message: `The worker crashed (${how}) while running this job.`,
    maxAttempts,
  };
}
