import { expect, test } from 'vitest';
import { updateKnownFiles } from '../../../src/intake/known-files.ts';
import { testQueue } from '../queue/queue-fixture.ts';

const file = (name: string, signature = '1') => ({ path: `/in/${name}`, signature });

test('a new file is stored, is settled after the settling time, and is forgotten when it is gone', () => {
  const { seenFiles } = testQueue();
  const found = [file('a.mp4')];
  expect(updateKnownFiles(seenFiles, found, { nowMs: 0, settleMs: 5000 })).toEqual({
    added: found,
    settled: [],
  });
  expect(seenFiles.list()).toMatchObject([{ path: '/in/a.mp4', state: 'settling' }]);
  expect(updateKnownFiles(seenFiles, found, { nowMs: 5000, settleMs: 5000 })).toEqual({
    added: [],
    settled: [{ ...file('a.mp4'), sinceAtMs: 0, code: null, takenSignature: null }],
  });
  updateKnownFiles(seenFiles, [], { nowMs: 6000, settleMs: 5000 });
  expect(seenFiles.list()).toEqual([]);
});

test('a file that changes waits again, and its neighbour does not', () => {
  const { seenFiles } = testQueue();
  updateKnownFiles(seenFiles, [file('a.mp4'), file('b.mp4')], { nowMs: 0, settleMs: 5000 });
  const found = [file('a.mp4', '2'), file('b.mp4')];
  expect(updateKnownFiles(seenFiles, found, { nowMs: 5000, settleMs: 5000 }).settled).toMatchObject([
    file('b.mp4'),
  ]);
});
