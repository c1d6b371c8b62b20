/** Callers during a call share its result, so that one that hangs is not joined by more. */
export function sharePending<T>(start: () => Promise<T>): () => Promise<T> {
  let pending: Promise<T> | null = null;
  return () => (pending ??= start().finally(() => (pending = null)));
}
