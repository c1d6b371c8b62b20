import { describe, expect, it } from 'vitest';
import {
  ByteTracker,
  type TrackerState,
} from '../../../../../src/pipelines/dual-face/tracking/byte-tracker.ts';
import { syntheticScenario } from '../../../../helpers/tracking/synthetic-scenarios.ts';

function face(x: number, score = 0.9) {
  return { box: { x, y: 100, width: 80, height: 100 }, score };
}

function ids(tracker: ByteTracker, ...faces: ReturnType<typeof face>[]): number[] {
  return tracker
    .update(faces)
    .filter(({ isSeen }) => isSeen)
    .map(({ id }) => id);
}

describe('a track', () => {
  it('is reported at once in the very first frame, later from its second detection', () => {
    const tracker = new ByteTracker();
    expect(ids(tracker, face(0))).toEqual([1]);
    expect(ids(tracker, face(0), face(500))).toEqual([1]);
    expect(ids(tracker, face(0), face(500))).toEqual([1, 2]);
  });

  it('is not started by a false detection in one frame, nor by a weak one', () => {
    const tracker = new ByteTracker();
    ids(tracker, face(0));
    ids(tracker, face(0), face(500));
    expect(ids(tracker, face(0))).toEqual([1]);
    for (let frame = 0; frame < 5; frame++) expect(ids(tracker, face(0), face(300, 0.65))).toEqual([1]);
  });

  it('is continued by detections with low scores, which is the point of ByteTrack', () => {
    const tracker = new ByteTracker();
    ids(tracker, face(0));
    for (let frame = 0; frame < 60; frame++) expect(ids(tracker, face(0, 0.2))).toEqual([1]);
    expect(ids(tracker, face(0, 0.05))).toEqual([]);
  });

  it('survives 30 frames without a detection, and is replaced after more', () => {
    for (const [unseen, id] of [
      [29, 1],
      [30, 1],
      [31, 2],
    ] as const) {
      const tracker = new ByteTracker();
      for (let frame = 0; frame < 5; frame++) ids(tracker, face(0));
      for (let frame = 0; frame < unseen; frame++) expect(ids(tracker)).toEqual([]);
      ids(tracker, face(0));
      expect(ids(tracker, face(0))).toEqual([id]);
    }
  });

  it('is reported at its predicted position for five more frames', () => {
    const tracker = new ByteTracker();
    for (let frame = 0; frame < 40; frame++) ids(tracker, face(5 * frame));
    const unseen = Array.from({ length: 6 }, () => tracker.update([]));
    expect(unseen.map((faces) => faces.length)).toEqual([1, 1, 1, 1, 1, 0]);
    expect(unseen[4]?.[0]).toMatchObject({ id: 1, isSeen: false });
    expect(unseen[4]?.[0]?.box.x).toBeCloseTo(5 * 44, 0);
  });

  it('keeps its id while another one moves', () => {
    const tracker = new ByteTracker();
    for (let frame = 0; frame < 50; frame++) expect(ids(tracker, face(5 * frame), face(600))).toEqual([1, 2]);
  });
});

it('continues identically from a snapshot that was stored as JSON', () => {
  const { frames } = syntheticScenario(1);
  const undisturbed = new ByteTracker();
  let resumed = new ByteTracker();
  for (const { detections } of frames) {
    resumed = new ByteTracker(undefined, JSON.parse(JSON.stringify(resumed.snapshot())) as TrackerState);
    expect(resumed.update(detections)).toEqual(undisturbed.update(detections));
  }
});
