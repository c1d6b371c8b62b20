import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/**
 * The system calls in a log of `strace -f`, each as one line without its process ID. A call that another process interrupts
 * in the log is put together again; calls that were cut off by the end of their process come last.
 */
export async function* straceCalls(log: string): AsyncGenerator<string> {
  const unfinished = new Map<string, string>();
  for await (const line of createInterface({ input: createReadStream(log, 'latin1') })) {
    const [, pid = '', text = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (text.endsWith('<unfinished ...>')) {
      unfinished.set(pid, text.slice(0, -'<unfinished ...>'.length));
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(text);
    yield resumed === null ? text : (unfinished.get(pid) ?? '') + (resumed[1] ?? '');
    unfinished.delete(pid);
  }
  yield* unfinished.values();
}
