import { describe, expect, test } from 'vitest';
import type { FieldEvidence } from '../../../src/media/fields/field-evidence.ts';
import { hasSoftPulldown, planFields } from '../../../src/media/fields/field-plan.ts';

const block = (tff: number, bff: number, progressive: number): FieldEvidence => ({
  combed: { tff, bff },
  progressive,
  total: 100,
});

/** What frames show, by letter: top or bottom field first, progressive, still, and chance. */
const SHOWN: Readonly<Record<string, FieldEvidence>> = {
  t: block(40, 0, 5),
  b: block(1, 30, 20),
  p: block(0, 0, 60),
  '.': block(0, 0, 0),
  '?': block(3, 2, 1),
};

/** Plans frames written as letters; capital letters are marked as interlaced by the stream. */
function plan(letters: string, canMatchFields = true) {
  const frames = letters.split('');
  return planFields({
    evidence: frames.map((letter) => SHOWN[letter.toLowerCase()] ?? block(0, 0, 0)),
    isMarked: (frame) => frames[frame] === ':' || frames[frame] !== frames[frame]?.toLowerCase(),
    canMatchFields,
  });
}

const run = (first: number, end: number, order: string) => ({ first, end, order });

describe('runs of interlaced frames', () => {
  test.each([
    ['progressive', 'p'.repeat(30), []],
    ['progressive, but marked', 'P'.repeat(30), []],
    ['nothing moves', '.'.repeat(30), []],
    ['chance in both orders', 'p'.repeat(10) + '?'.repeat(20), []],
    ['interlaced without a mark', 'b'.repeat(30), [run(0, 30, 'bff')]],
    ['progressive, then interlaced', 'p'.repeat(25) + 'T'.repeat(25), [run(25, 50, 'tff')]],
    ['still frames between interlaced ones', 'ttttt' + '.'.repeat(40) + 'ttttt', [run(0, 50, 'tff')]],
    ['still and marked before interlaced', 'p'.repeat(20) + '::::' + 'T'.repeat(20), [run(20, 44, 'tff')]],
    [
      'still and not marked before interlaced',
      'p'.repeat(20) + '....' + 'T'.repeat(20),
      [run(24, 44, 'tff')],
    ],
    ['a single frame is chance', 'p'.repeat(20) + 't' + 'p'.repeat(20), []],
    ['single progressive frames are chance', 'tttttptttttpptttt', [run(0, 17, 'tff')]],
    [
      'the order changes at a progressive scene',
      'T'.repeat(20) + 'P'.repeat(20) + 'B'.repeat(20),
      [run(0, 20, 'tff'), run(40, 60, 'bff')],
    ],
  ])('%s', (_, letters, runs) => {
    expect(plan(letters).runs).toEqual(runs);
  });

  test('more runs than fit into the arguments of a process are merged', () => {
    const { runs } = plan(('T'.repeat(15) + 'P'.repeat(15)).repeat(2000));
    expect(runs.length).toBeGreaterThan(0);
    expect(runs.length).toBeLessThanOrEqual(500);
  });
});

describe('telecine', () => {
  const film = 'PPPTT'.repeat(10);

  test('a constant cadence is film, whose fields are matched', () => {
    expect(plan(film)).toMatchObject({
      treatment: 'match-fields',
      pulldown: 'hard',
      runs: [run(0, 50, 'tff')],
    });
  });

  test('the cadence survives still frames', () => {
    expect(plan('PPPTT'.repeat(3) + 'P..TTPPP.T' + 'PPPTT'.repeat(3)).treatment).toBe('match-fields');
  });

  test.each([
    ['a pixel format whose fields cannot be matched', film, false],
    ['interlaced video beside the film', film + 'T'.repeat(40), true],
  ])('%s: all of it is deinterlaced, and named', (_, letters, canMatchFields) => {
    expect(plan(letters, canMatchFields)).toMatchObject({ treatment: 'deinterlace', pulldown: 'hard' });
  });

  test('film with pulldown in flags has frames of three and two fields in turn', () => {
    const steps = (...ticks: number[]) => {
      let at = 0;
      return [0, ...Array.from({ length: 40 }, (_, i) => (at += ticks[i % ticks.length] ?? 0))];
    };
    expect(hasSoftPulldown(steps(3003, 4505))).toBe(true);
    expect(hasSoftPulldown(steps(3003))).toBe(false);
    expect(hasSoftPulldown(steps(33, 34))).toBe(false);
  });
});
