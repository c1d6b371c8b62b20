/** Whether an error is an answer of AWS with this HTTP status. */
export function hasStatus(error: unknown, status: number): boolean {
  return statusOf(error) === status;
}

/** The HTTP status of an answer of AWS; null for other errors, such as that of a cut connection. */
export function statusOf(error: unknown): number | null {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return null;
  const { $metadata: metadata } = error;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return null;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : null;
}
