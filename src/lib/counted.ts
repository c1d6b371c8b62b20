/** A count with its noun in the right number: `1 job`, `2 jobs`, `3 batches`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}
