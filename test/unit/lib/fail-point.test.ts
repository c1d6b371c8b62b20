import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { armFailPoints, failPoint, type FailPoint } from '../../../src/lib/fail-point.ts';
import { failPointFolder } from '../../helpers/fail-points.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

/** Arms fail points for one test. Hits are counted for the life of the process, so each test uses its own fail point. */
function armed(...lines: readonly `${FailPoint} ${string}`[]) {
  const path = temporaryFolder();
  const points = failPointFolder(path);
  points.arm(...lines);
  armFailPoints(path);
  onTestFinished(() => armFailPoints(null));
  return { path, points };
}

it('does nothing while no fail point is armed', () => {
  expect(() => failPoint('claim.written')).not.toThrow();
});

it('throws an error with the given code once, at the given hit', () => {
  const { points } = armed('segment.closed 2 EIO');
  failPoint('segment.closed');
  expect(points.hasFired('segment.closed')).toBe(false);
  expect(() => failPoint('segment.closed')).toThrow(expect.objectContaining({ code: 'EIO' }));
  failPoint('segment.closed');
  expect(points.reached()).toEqual(new Set(['segment.closed']));
});

it('acts at every hit from the given one on, until the line is removed', () => {
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
