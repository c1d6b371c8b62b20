import type { Logger } from '../../src/observability/log-entry.ts';

/** A logger for tests that do not read the log. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};
