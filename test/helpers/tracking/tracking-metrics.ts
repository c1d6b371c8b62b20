import { iou, type Box } from '../../../src/pipelines/dual-face/tracking/box.ts';
import { assignPairs, type Matched } from '../../../src/pipelines/dual-face/tracking/linear-assignment.ts';

/** A box with an identity. */
export interface LabelledBox {
  readonly id: number;
  readonly box: Box;
}

/** The true boxes of a frame and those of a tracker. */
export interface FramePair {
  readonly truth: readonly LabelledBox[];
  readonly found: readonly LabelledBox[];
}

export interface TrackingScores {
  /** 1 - (misses + false positives + switches) / true boxes (CLEAR MOT, Bernardin and Stiefelhagen 2008). */
  readonly mota: number;
  /** F1 of the boxes that carry their right identity, under the best pairing of identities (Ristani et al. 2016). */
  readonly idf1: number;
  /** Number of times a person was covered by a different track than before. */
  readonly switches: number;
  readonly misses: number;
  readonly falsePositives: number;
  readonly truthBoxes: number;
}

/** Minimum overlap (IoU) of boxes that show the same face. */
const SAME = 0.5;

/** Scores of one sequence; without true boxes, `mota` and `idf1` are NaN. */
export function trackingScores(frames: readonly FramePair[]): TrackingScores {
  const clear = clearMot(frames);
  const { truthBoxes, misses, falsePositives, switches } = clear;
  return { ...clear, mota: 1 - (misses + falsePositives + switches) / truthBoxes, idf1: idf1(frames) };
}

function clearMot(frames: readonly FramePair[]): Omit<TrackingScores, 'mota' | 'idf1'> {
  const lastTrack = new Map<number, number>();
  let [switches, misses, falsePositives, truthBoxes] = [0, 0, 0, 0];
  for (const { truth, found } of frames) {
    // The last track of a face keeps it while they overlap: a bonus of 2 outweighs any two other pairs.
    const pairs = pairBoxes(truth, found, (a, b) => (lastTrack.get(a.id) === b.id ? 2 : 0));
    for (const { row, column } of pairs) {
      const [face, track] = [truth[row], found[column]];
      if (face === undefined || track === undefined) continue;
      const before = lastTrack.get(face.id);
      if (before !== undefined && before !== track.id) switches++;
      lastTrack.set(face.id, track.id);
    }
    truthBoxes += truth.length;
    misses += truth.length - pairs.length;
    falsePositives += found.length - pairs.length;
  }
  return { switches, misses, falsePositives, truthBoxes };
}

function pairBoxes(
  truth: readonly LabelledBox[],
  found: readonly LabelledBox[],
  extra: (a: LabelledBox, b: LabelledBox) => number,
): Matched[] {
  const value = (row: number, column: number): number => {
    const [a, b] = [truth[row], found[column]];
    if (a === undefined || b === undefined) return 0;
    const overlap = iou(a.box, b.box);
    return overlap >= SAME ? overlap + extra(a, b) : 0;
  };
  return assignPairs(truth.length, found.length, value, SAME);
}

function idf1(frames: readonly FramePair[]): number {
  const truthIds = [...new Set(frames.flatMap(({ truth }) => truth.map(({ id }) => id)))];
  const foundIds = [...new Set(frames.flatMap(({ found }) => found.map(({ id }) => id)))];
  const shared = new Map<string, number>();
  let boxes = 0;
  for (const { truth, found } of frames) {
    boxes += truth.length + found.length;
    for (const a of truth) {
      for (const b of found) {
        const key = `${a.id} ${b.id}`;
        if (iou(a.box, b.box) >= SAME) shared.set(key, (shared.get(key) ?? 0) + 1);
      }
    }
  }
  const count = (row: number, column: number): number =>
    shared.get(`${truthIds[row] ?? ''} ${foundIds[column] ?? ''}`) ?? 0;
  const right = assignPairs(truthIds.length, foundIds.length, count, 1).reduce(
    (sum, { row, column }) => sum + count(row, column),
    0,
  );
  return (2 * right) / boxes;
}
