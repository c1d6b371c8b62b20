import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SeenFile } from '../../../src/domain/seen-file.ts';
import { judge } from '../../../src/intake/stability.ts';

const SETTLE = 5000;

/** Judges one file repeatedly, as scans do; returns the instants at which it was settled. */
function watch(looks: readonly { readonly atMs: number; readonly signature: string }[]): number[] {
  let seen: SeenFile | undefined;
  const settledAt: number[] = [];
  for (const { atMs, signature } of looks) {
    const verdict = judge(seen, { path: '/in/a.mp4', signature }, atMs, SETTLE);
    seen = verdict.seen;
    if (verdict.settled) settledAt.push(atMs);
  }
  return settledAt;
}

test('a file is settled when two scans five seconds apart find the same signature, and no sooner', () => {
  expect(watch([0, 2000, 4999, 5000].map((atMs) => ({ atMs, signature: '10' })))).toEqual([5000]);
});

test('a copy that pauses and resumes must settle again', () => {
  const looks = [
    { atMs: 0, signature: '10' },
    { atMs: 4000, signature: '10' },
    { atMs: 6000, signature: '20' },
    { atMs: 9000, signature: '20' },
    { atMs: 11_000, signature: '20' },
  ];
  expect(watch(looks)).toEqual([11_000]);
});

test('a clock that is set back delays a file by the settling time only', () => {
  const looks = [
    { atMs: 1_000_000, signature: '10' },
    { atMs: 1000, signature: '10' },
    { atMs: 6000, signature: '10' },
  ];
  expect(watch(looks)).toEqual([6000]);
});

test('a taken or rejected file is not judged again until it changes', () => {
  for (const state of ['taken', 'rejected'] as const) {
    const seen: SeenFile = {
      path: '/in/a.mp4',
      signature: '10',
      takenSignature: null,
      state,
      sinceAtMs: 0,
      code: 'WHY',
      message: 'why',
    };
    expect(judge(seen, { path: '/in/a.mp4', signature: '10' }, 60_000, SETTLE)).toEqual({
      seen,
      settled: false,
    });
    expect(judge(seen, { path: '/in/a.mp4', signature: '11' }, 60_000, SETTLE).seen.state).toBe('settling');
  }
});

test('a taken file stays taken if only its sidecar is removed, also after a sidecar that was rejected', () => {
  const after = (before: Partial<SeenFile>, signature: string) => {
    const { state } = { state: 'taken', ...before } as const;
    const seen = { path: '/in/a.mp4', signature: '10 1', takenSignature: '10', sinceAtMs: 0, state };
    return judge({ ...seen, code: null, message: null, ...before }, { path: seen.path, signature }, 1, SETTLE)
      .seen.state;
  };
  expect(after({}, '10')).toBe('taken');
  expect(after({ signature: '10 2', state: 'settling' }, '10')).toBe('taken');
  expect(after({ signature: '10 2', state: 'rejected' }, '10')).toBe('taken');
  expect(after({}, '11')).toBe('settling');
  expect(after({}, '10 2')).toBe('settling');
  expect(after({ takenSignature: null }, '10')).toBe('settling');
});

test('a file that may be incomplete is settled again after twelve times the settling time', () => {
  const seen: SeenFile = {
    ...{ path: '/in/a.mp4', signature: '10', takenSignature: null, state: 'settling', sinceAtMs: 0 },
    ...{ code: 'CUT_OFF', message: 'is cut off within its moov box' },
  };
  const isSettled = (atMs: number, code: string) =>
    judge({ ...seen, code }, { path: '/in/a.mp4', signature: '10' }, atMs, SETTLE).settled;
  expect([5000, 59_999, 60_000].map((atMs) => isSettled(atMs, 'CUT_OFF'))).toEqual([false, false, true]);
  expect([4999, 5000].map((atMs) => isSettled(atMs, 'OPEN_FOR_WRITING'))).toEqual([false, true]);
});

test('a file is never settled within the settling time after a change, whenever it is scanned', () => {
  const steps = fc.array(fc.record({ waitMs: fc.integer({ min: 1, max: 8000 }), changed: fc.boolean() }), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(steps, (wanted) => {
      let atMs = 0;
      let version = 0;
      let changedAt = 0;
      const looks = wanted.map(({ waitMs, changed }) => {
        atMs += waitMs;
        if (changed) version++;
        return { atMs, signature: String(version), changed };
      });
      const settled = new Set(watch(looks));
      for (const signature of looks) {
        if (signature.changed) changedAt = signature.atMs;
        if (settled.has(signature.atMs)) expect(signature.atMs - changedAt).toBeGreaterThanOrEqual(SETTLE);
      }
    }),
  );
});
