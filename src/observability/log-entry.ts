import { visibleText } from '../lib/visible-text.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** One line of the log before it is text; plain data, so that it can travel from the worker to the daemon. */
export interface LogEntry {
  readonly atMs: number;
  readonly level: LogLevel;
  /** Who speaks, such as a file's name; null for the program itself. */
  readonly prefix: string | null;
  readonly message: string;
}

/** What the rooms log with. `child` gives a logger that speaks under another name. */
export interface Logger {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
  child(prefix: string): Logger;
}

/** The entry as one line, in local time: `2026-11-21 14:03:22 INFO  [again.mkv] 35 % · …`. */
export function formatLogEntry(entry: LogEntry): string {
  const prefix = entry.prefix === null ? '' : `[${visibleText(entry.prefix)}] `;
  return `${localTime(entry.atMs)} ${entry.level.toUpperCase().padEnd(5)} ${prefix}${visibleText(entry.message)}`;
}

function localTime(atMs: number): string {
  const at = new Date(atMs);
  const two = (value: number) => String(value).padStart(2, '0');
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${date} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}
