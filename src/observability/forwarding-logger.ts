import type { LogEntry, Logger, LogLevel } from './log-entry.ts';

/** Creates a logger that passes every entry to `sink`; the worker uses it to send its entries to the daemon. */
export function createForwardingLogger(
  sink: (entry: LogEntry) => void,
  now: () => number = Date.now,
  prefix: string | null = null,
): Logger {
  const write = (level: LogLevel) => (message: string) => sink({ atMs: now(), level, prefix, message });
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (name) => createForwardingLogger(sink, now, name),
  };
}
