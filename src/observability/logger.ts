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
  /** Entries below this level are left out. */
  readonly level: LogLevel;
  /** Whether the lines are shown on standard output, too. */
  readonly console: boolean;
}

/** The process's log. */
export interface RootLogger extends Logger {
  /** Writes an entry that was made elsewhere (in the worker), with its own time and prefix. */
  write(entry: LogEntry): void;
  /** Settles when all entries are written. Later entries go to standard error. May be called twice. */
  close(): Promise<void>;
}

/**
 * Opens the log. One entry is one line, whatever is in its message. A log file that cannot be written (a full disk)
 * is said once on standard error and is tried again with each entry: a log never stops the work.
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
    process.stderr.write(`The log ${path} cannot be written (${error.message}); work goes on.\n`);
  };
  return new winston.transports.Stream({
    stream: new RollingFile({ path, maxBytes: MAX_BYTES, maxFiles: MAX_FILES, onError }),
    eol: '\n',
  });
}

/** A reader of our output that goes away (`framekiln start | head`) must not take the daemon with it. */
function consoleTransport() {
  const transport = new winston.transports.Console({ eol: '\n' });
  process.stdout.on('error', () => {
    transport.silent = true;
  });
  return transport;
}
