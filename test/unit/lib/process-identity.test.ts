import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import {
  formatOwner,
  isInOwnNamespace,
  isOwnerAlive,
  isOwnerOfPid,
  ownOwner,
  parseOwner,
  parseStartTime,
} from '../../../src/lib/process/process-identity.ts';

test('this process is alive; the same pid with another start time or boot is not', () => {
  const own = parseOwner(ownOwner());
  if (own === null) throw new Error(`${ownOwner()} does not parse.`);
  expect(isOwnerAlive(formatOwner(own))).toBe(true);
  expect(isOwnerAlive(formatOwner({ ...own, startTime: '1' }))).toBe(false);
  expect(isOwnerAlive(formatOwner({ ...own, bootId: '0'.repeat(36) }))).toBe(false);
  expect(isOwnerAlive('nonsense')).toBe(false);
});

test('a process that has ended is not alive', async () => {
  const own = parseOwner(ownOwner());
  const child = spawn('true');
  await once(child, 'exit');
  expect(
    isOwnerAlive(
      formatOwner({ pid: child.pid ?? 0, startTime: '1', bootId: own?.bootId ?? '', pidNamespace: null }),
    ),
  ).toBe(false);
});

test('the start time is parsed with any command name; a zombie has none', () => {
  const fields = (state: string) => `${state} ${Array.from({ length: 40 }, (_, i) => i + 4).join(' ')}`;
  expect(parseStartTime(`7 (node) ${fields('S')}`)).toBe('22');
  expect(parseStartTime(`7 (a) S 1 (b c) ${fields('R')}`)).toBe('22');
  expect(parseStartTime(`7 (node) ${fields('Z')}`)).toBeNull();
});

test('a process of another PID namespace counts as alive, because its pid says nothing here', () => {
  const own = parseOwner(ownOwner());
  if (own === null) throw new Error(`${ownOwner()} does not parse.`);
  const elsewhere = formatOwner({ ...own, startTime: '1', pidNamespace: '42' });
  expect(isOwnerAlive(elsewhere)).toBe(true);
  expect(isInOwnNamespace(elsewhere)).toBe(false);
  expect(isOwnerOfPid(elsewhere, process.pid)).toBe(false);
  expect(isOwnerAlive(formatOwner({ ...own, pidNamespace: '42', bootId: '0'.repeat(36) }))).toBe(false);
});

test('an owner of an older version has no namespace and is looked up in this one', () => {
  const own = parseOwner(ownOwner());
  if (own === null) throw new Error(`${ownOwner()} does not parse.`);
  const old = `${own.pid}:${own.startTime}:${own.bootId}`;
  expect(parseOwner(old)).toEqual({ ...own, pidNamespace: null });
  expect(isOwnerAlive(old)).toBe(true);
  expect(isOwnerOfPid(old, process.pid)).toBe(true);
  expect(isOwnerAlive(old.replace(/:\d+:/, ':1:'))).toBe(false);
});
