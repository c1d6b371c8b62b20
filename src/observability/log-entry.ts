import { visibleText } from '../lib/visible-text.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** One entry of the log as plain data, which the worker can send to the daemon. */
export interface LogEntry {
  readonly atMs: number;
  readonly level: LogLevel;
  /** What the entry is about, such as the name of a file; null for the program itself. */
  readonly prefix: string | null;
  readonly message: string;
}

/** Logger used everywhere; `child` returns a logger with another prefix. */
export interface Logger {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
  child(prefix: string): Logger;
}

/** Formats an entry as one line, in local time: `2026-11-21 14:03:22 INFO  [again.mkv] 35 % · …`. */
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
