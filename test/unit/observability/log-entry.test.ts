import { describe, expect, it } from 'vitest';
import { createForwardingLogger } from '../../../src/observability/forwarding-logger.ts';
import { formatLogEntry } from '../../../src/observability/log-entry.ts';
import type { LogEntry } from '../../../src/observability/log-entry.ts';

const atMs = new Date(2026, 10, 21, 14, 3, 22).getTime();

describe('formatLogEntry', () => {
  it('is a line with local time, level and prefix', () => {
    const entry = { atMs, level: 'info', prefix: 'again.mkv', message: '35 % · 28 of 78 frames' } as const;
    expect(formatLogEntry(entry)).toBe('2026-11-21 14:03:22 INFO  [again.mkv] 35 % · 28 of 78 frames');
  });

  it('has no brackets without a prefix', () => {
    const entry = { atMs, level: 'error', prefix: null, message: 'ended' } as const;
    expect(formatLogEntry(entry)).toBe('2026-11-21 14:03:22 ERROR ended');
  });

  it('is one line without control characters, even for hostile file names', () => {
    const line = formatLogEntry({
      atMs,
      level: 'warn',
      prefix: 'a\nb\u001b[31m.mp4',
      message: 'tab\there\r\u2028\u202e\ud800 Größe 日本 👍🏽',
    });
    expect(line).toBe(
      '2026-11-21 14:03:22 WARN  [a\\nb\\u{1b}[31m.mp4] tab\\there\\r\\u{2028}\\u{202e}\\u{d800} Größe 日本 👍🏽',
    );
  });
});

describe('createForwardingLogger', () => {
  it('passes on entries with level, prefix and time', () => {
    const entries: LogEntry[] = [];
    const log = createForwardingLogger(
      (entry) => entries.push(entry),
      () => 7,
    );
    log.info('one');
    log.child('clip.mp4').warn('two');
    expect(entries).toEqual([
      { atMs: 7, level: 'info', prefix: null, message: 'one' },
      { atMs: 7, level: 'warn', prefix: 'clip.mp4', message: 'two' },
    ]);
    expect(structuredClone(entries)).toEqual(entries);
  });
});
