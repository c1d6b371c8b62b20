import winston from 'winston';
import { createForwardingLogger } from './forwarding-logger.ts';
import { formatLogEntry } from './log-entry.ts';
import type { LogEntry, Logger, LogLevel } from './log-entry.ts';
import { RollingFile } from './rolling-file.ts';

const MAX_BYTES = 10 * 1024 * 1024;
const MAX_FILES = 5;

export interface LoggerOptions {
  /** Absolute path of the log file. */
  readonly file: string;
  /** Entries below this level are dropped. */
  readonly level: LogLevel;
  /** Whether entries are also written to standard output. */
  readonly console: boolean;
  /** Called with each entry that is not dropped. */
  readonly onEntry?: (entry: LogEntry) => void;
}

/** Log of the daemon process. */
export interface RootLogger extends Logger {
  /** Writes an entry of another process (the worker) with its time and prefix. */
  write(entry: LogEntry): void;
  /** Resolves when all entries are written. Later entries go to standard error. May be called twice. */
  close(): Promise<void>;
}

/**
 * Opens the log. Each entry is one line, whatever its message contains. If the log file cannot be written (full disk), this
 * is reported once on standard error and retried with each entry: a failing log never stops processing.
 */
export function createLogger(options: LoggerOptions): RootLogger {
  const log = winston.createLogger({
    level: options.level,
    levels: { error: 0, warn: 1, info: 2, debug: 3 },
    format: winston.format.printf((info) => String(info.message)),
  });
  const transports = [fileTransport(options.file), ...(options.console ? [consoleTransport()] : [])];
  for (const transport of transports) {
    // winston's types describe its transports as interfaces with a constructor, not as classes.
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment
    log.add(transport);
  }

  let closing: Promise<void> | null = null;
  const write = (entry: LogEntry): void => {
    if (log.isLevelEnabled(entry.level)) options.onEntry?.(entry);
    const line = formatLogEntry(entry);
    if (closing === null) log.log(entry.level, line);
    else process.stderr.write(`${line}\n`);
  };
  const close = (): Promise<void> =>
    (closing ??= new Promise((resolve) => {
      log.once('finish', resolve);
      log.end();
    }));
  return { ...createForwardingLogger(write), write, close };
}

function fileTransport(path: string) {
  const onError = (error: Error): void => {
    process.stderr.write(`cannot write to the log ${path} (${error.message}); retrying with each entry\n`);
  };
  return new winston.transports.Stream({
    stream: new RollingFile({ path, maxBytes: MAX_BYTES, maxFiles: MAX_FILES, onError }),
    eol: '\n',
  });
}

/** Logs to standard output until its reader exits, as in `framekiln start | head`; that must not end the daemon. */
function consoleTransport() {
  const transport = new winston.transports.Console({ eol: '\n' });
  process.stdout.on('error', () => {
    transport.silent = true;
  });
  return transport;
}
