import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { armFailPoints, failPoint, type FailPoint } from '../../../src/lib/fail-point.ts';
import { failPointFolder } from '../../helpers/fail-points.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

/* Counts are kept for the life of a process: each test has a point of its own. */
function armed(...lines: readonly `${FailPoint} ${string}`[]) {
  const path = temporaryFolder();
  const points = failPointFolder(path);
  points.arm(...lines);
  armFailPoints(path);
  onTestFinished(() => armFailPoints(null));
  return { path, points };
}

it('is free when nothing is armed', () => {
  expect(() => failPoint('claim.written')).not.toThrow();
});

it('throws an error of the code that was asked for, at the hit that was asked for, once', () => {
  const { points } = armed('segment.closed 2 EIO');
  failPoint('segment.closed');
  expect(points.hasFired('segment.closed')).toBe(false);
  expect(() => failPoint('segment.closed')).toThrow(expect.objectContaining({ code: 'EIO' }));
  failPoint('segment.closed');
  expect(points.reached()).toEqual(new Set(['segment.closed']));
});

it('acts from a hit on, until the line is gone', () => {
  const { path } = armed('report.before-write 2+ ENOSPC');
  failPoint('report.before-write');
  for (let i = 0; i < 3; i++) expect(() => failPoint('report.before-write')).toThrow('ENOSPC');
  writeFileSync(join(path, 'armed'), '');
  failPoint('report.before-write');
});

it('does not act again in another process', () => {
  const { path } = armed('ram-disk.stamped 1 EIO');
  writeFileSync(join(path, 'fired-ram-disk.stamped'), '');
  failPoint('ram-disk.stamped');
});
