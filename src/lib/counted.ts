/** Formats a count with a noun in the singular or plural: `1 job`, `2 jobs`, `3 batches`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}
