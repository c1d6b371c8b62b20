import { expect, test } from 'vitest';
import { SAFE_DEFAULTS } from '../../../src/config/settings.ts';
import { Throttling } from '../../../src/daemon/throttling.ts';
import type { Logger } from '../../../src/observability/log-entry.ts';

const settings = { throttling: { ...SAFE_DEFAULTS.throttling, quietHours: [] } };
const REASON = '/data/output is on a read-only file system';
const STATE = `paused: ${REASON}; check the disk, then mount it with write permission`;

/** Throttling of a daemon whose disk and database the test changes. */
function daemon() {
  const disks: { readOnly: string | null } = { readOnly: null };
  const database: { failure: string | null; throttled: string | null } = { failure: null, throttled: 'old' };
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  const log: Logger = { debug: say, info: say, warn: say, error: say, child: () => log };
  const setThrottled = (state: string | null): void => {
    if (database.failure !== null) throw Object.assign(new Error('failed'), { code: database.failure });
    database.throttled = state;
  };
  const throttling = new Throttling({ disks, gpu: { reason: () => null }, control: { setThrottled }, log });
  return { disks, database, lines, shouldPause: () => throttling.shouldPause(settings, false) };
}

test('work pauses while a disk is read-only, which is logged once and stored as soon as that is possible', () => {
  const { disks, database, lines, shouldPause } = daemon();
  expect([shouldPause(), database.throttled, lines]).toEqual([false, null, []]);
  disks.readOnly = '/data/output';
  database.failure = 'SQLITE_READONLY';
  expect([shouldPause(), shouldPause(), lines]).toEqual([true, true, [STATE]]);
  database.failure = null;
  expect([shouldPause(), database.throttled]).toEqual([true, STATE]);
  disks.readOnly = null;
  expect([shouldPause(), database.throttled]).toEqual([false, null]);
  expect(lines).toEqual([STATE, `resuming; was paused: ${REASON}`]);
});

test('work does not resume before the database says so, and a damaged database is an error', () => {
  const { disks, database, shouldPause } = daemon();
  disks.readOnly = '/data/output';
  database.failure = 'SQLITE_CORRUPT';
  expect(shouldPause).toThrow('failed');
  database.failure = null;
  expect(shouldPause()).toBe(true);
  [disks.readOnly, database.failure] = [null, 'SQLITE_BUSY'];
  expect(shouldPause).toThrow('failed');
  database.failure = null;
  expect([shouldPause(), database.throttled]).toEqual([false, null]);
});
