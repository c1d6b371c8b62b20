import type { LogEntry, Logger, LogLevel } from './log-entry.ts';

/** A logger that hands every entry to `sink`: the worker's, whose entries travel to the daemon. */
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
