import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEtaEstimator } from '../../../src/observability/eta.ts';
import { formatDuration, formatProgress, formatRate } from '../../../src/observability/format-progress.ts';
import { hasPassedStep } from '../../../src/observability/progress-steps.ts';

describe('formatProgress', () => {
  it('is a line for the log', () => {
    const progress = { framesDone: 28, framesTotal: 78, framesPerSecond: 0.3049, etaMs: 164_000 };
    expect(formatProgress(progress)).toBe('35 % · 28 of 78 frames · 0.30 fps · 2 min 44 s left');
  });

  it('omits unknown parts, and the remaining time at the end', () => {
    expect(formatProgress({ framesDone: 0, framesTotal: 78, framesPerSecond: null, etaMs: null })).toBe(
      '0 % · 0 of 78 frames',
    );
    expect(formatProgress({ framesDone: 78, framesTotal: 78, framesPerSecond: 12.34, etaMs: 0 })).toBe(
      '100 % · 78 of 78 frames · 12.3 fps',
    );
  });

  it('is 100 % only when all frames are finished', () => {
    expect(
      formatProgress({ framesDone: 9999, framesTotal: 10_000, framesPerSecond: null, etaMs: null }),
    ).toMatch(/^99 %/);
  });

  it.each([
    [400, '0.4 s'],
    [999, '1 s'],
    [59_499, '59 s'],
    [59_500, '1 min 00 s'],
    [164_000, '2 min 44 s'],
    [3_599_600, '1 h 00 min'],
    [11_100_000, '3 h 05 min'],
    [187_200_000, '2 d 04 h'],
  ])('shows %i ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it.each([
    [0.306, '0.31'],
    [31.04, '31.0'],
    [249.6, '250'],
  ])('shows a rate of %f as %s', (rate, text) => {
    expect(formatRate(rate)).toBe(text);
  });
});

describe('hasPassedStep', () => {
  it('omits steps that were passed before a resume', () => {
    expect(hasPassedStep(39, 40, 78)).toBe(false);
    expect(hasPassedStep(40, 43, 78)).toBe(true);
  });

  it('is false for an empty job', () => {
    expect(hasPassedStep(0, 0, 0)).toBe(false);
  });

  it('counts 20 steps at most, and the last one always, however the frames arrive', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100_000 }),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true })),
        (total, cuts) => {
          const counts = [...cuts.map((cut) => Math.floor(cut * total)), total].sort((a, b) => a - b);
          const passed = counts.filter((count, index) => hasPassedStep(counts[index - 1] ?? 0, count, total));
          expect(passed.length).toBeLessThanOrEqual(20);
          expect(passed).toContain(total);
        },
      ),
    );
  });
});

describe('createEtaEstimator', () => {
  it('has no estimate before the first frame, and one after the first batch', () => {
    const eta = createEtaEstimator({ startedAtMs: 1000, framesDone: 0 });
    expect(eta.etaMs(78)).toBeNull();
    eta.record(30, 11_000);
    expect(eta.framesPerSecond()).toBe(3);
    expect(eta.etaMs(78)).toBe(16_000);
  });

  it('measures a resumed run by its own frames only', () => {
    const eta = createEtaEstimator({ startedAtMs: 0, framesDone: 500 });
    eta.record(510, 5000);
    expect(eta.framesPerSecond()).toBe(2);
    expect(eta.etaMs(600)).toBe(45_000);
  });

  it('follows a machine that became slower within the window', () => {
    const eta = createEtaEstimator({ startedAtMs: 0, framesDone: 0, windowMs: 10_000 });
    let frames = 0;
    for (let second = 1; second <= 20; second++) eta.record((frames += 10), second * 1000);
    expect(eta.framesPerSecond()).toBe(10);
    for (let second = 21; second <= 30; second++) eta.record((frames += 1), second * 1000);
    expect(eta.framesPerSecond()).toBe(1);
  });

  it('keeps a rate when single frames take longer than the window', () => {
    const eta = createEtaEstimator({ startedAtMs: 0, framesDone: 0, windowMs: 10_000 });
    for (let frame = 1; frame <= 5; frame++) eta.record(frame, frame * 40_000);
    expect(eta.etaMs(10)).toBe(200_000);
  });

  it('returns whole milliseconds, as stored in the database', () => {
    const eta = createEtaEstimator({ startedAtMs: 0, framesDone: 0 });
    eta.record(3, 1000);
    expect(eta.etaMs(10)).toBe(2333);
  });

  it('has no remaining time when all frames are finished', () => {
    const eta = createEtaEstimator({ startedAtMs: 0, framesDone: 0 });
    eta.record(10, 1000);
    expect(eta.etaMs(10)).toBe(0);
  });
});
