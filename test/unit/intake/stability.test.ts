import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SeenFile } from '../../../src/domain/seen-file.ts';
import { judge } from '../../../src/intake/stability.ts';

const SETTLE = 5000;

/** Looks at one file again and again, as scans do; gives the instants at which it was settled. */
function watch(looks: readonly { readonly atMs: number; readonly look: string }[]): number[] {
  let seen: SeenFile | undefined;
  const settledAt: number[] = [];
  for (const { atMs, look } of looks) {
    const verdict = judge(seen, { path: '/in/a.mp4', look }, atMs, SETTLE);
    seen = verdict.seen;
    if (verdict.settled) settledAt.push(atMs);
  }
  return settledAt;
}

test('two equal looks five seconds apart, and not a moment sooner', () => {
  expect(watch([0, 2000, 4999, 5000].map((atMs) => ({ atMs, look: '10' })))).toEqual([5000]);
});

test('a copy that pauses and goes on begins anew', () => {
  const looks = [
    { atMs: 0, look: '10' },
    { atMs: 4000, look: '10' },
    { atMs: 6000, look: '20' },
    { atMs: 9000, look: '20' },
    { atMs: 11_000, look: '20' },
  ];
  expect(watch(looks)).toEqual([11_000]);
});

test('a clock that is set back delays by the settling time, not by how far it went back', () => {
  const looks = [
    { atMs: 1_000_000, look: '10' },
    { atMs: 1000, look: '10' },
    { atMs: 6000, look: '10' },
  ];
  expect(watch(looks)).toEqual([6000]);
});

test('what was taken or refused is left alone until it changes', () => {
  for (const state of ['taken', 'refused'] as const) {
    const seen: SeenFile = {
      path: '/in/a.mp4',
      look: '10',
      state,
      sinceAtMs: 0,
      code: 'WHY',
      message: 'why',
    };
    expect(judge(seen, { path: '/in/a.mp4', look: '10' }, 60_000, SETTLE)).toEqual({ seen, settled: false });
    expect(judge(seen, { path: '/in/a.mp4', look: '11' }, 60_000, SETTLE).seen.state).toBe('settling');
  }
});

test('never settled within the settling time after a change, whatever the looks', () => {
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
        return { atMs, look: String(version), changed };
      });
      const settled = new Set(watch(looks));
      for (const look of looks) {
        if (look.changed) changedAt = look.atMs;
        if (settled.has(look.atMs)) expect(look.atMs - changedAt).toBeGreaterThanOrEqual(SETTLE);
      }
    }),
  );
});
