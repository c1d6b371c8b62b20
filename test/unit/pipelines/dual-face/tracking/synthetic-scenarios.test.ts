import { expect, it } from 'vitest';
import { distanceOf } from '../../../../../src/pipelines/dual-face/identity/face-embedder.ts';
import { SCENARIO_KINDS, syntheticScenario } from '../../../../helpers/tracking/synthetic-scenarios.ts';

it('is identical for the same seed and differs for another', () => {
  const plain = (seed: number): unknown =>
    syntheticScenario(seed).frames.map(({ truth, detections }) => [truth, detections]);
  expect(plain(7)).toEqual(plain(7));
  expect(plain(7)).not.toEqual(plain(7 + SCENARIO_KINDS.length));
});

it('misses about 20 % of the faces and adds about 10 % false ones', () => {
  const frames = Array.from({ length: 12 }, (_, seed) => syntheticScenario(seed).frames).flat();
  const truth = frames.reduce((sum, frame) => sum + frame.truth.length, 0);
  const detections = frames.reduce((sum, frame) => sum + frame.detections.length, 0);
  expect(detections / truth).toBeCloseTo(0.9, 1);
});

it('hides a face during a crossing, an occlusion and a re-entry, and shows both at the end', () => {
  for (const kind of ['crossing', 'occlusion', 're-entry'] as const) {
    const { frames } = syntheticScenario(SCENARIO_KINDS.indexOf(kind));
    expect(frames.some(({ truth }) => truth.length === 1)).toBe(true);
    expect(frames.at(-1)?.truth).toHaveLength(2);
  }
});

it('generates embeddings with the same median distances as the real model', async () => {
  const { frames } = syntheticScenario(0);
  const embeddingsOf = (person: number): Promise<Float32Array[]> =>
    Promise.all(
      frames.flatMap(({ truth, embed }) => {
        const box = truth.find(({ id }) => id === person)?.box;
        return box === undefined
          ? []
          : [embed(box).then((each) => each ?? expect.fail('a face has no embedding'))];
      }),
    );
  const [first, second] = [await embeddingsOf(1), await embeddingsOf(2)];
  const median = (of: readonly number[]): number =>
    [...of].sort((a, b) => a - b)[Math.floor(of.length / 2)] ?? NaN;
  const distances = (a: readonly Float32Array[], b: readonly Float32Array[]): number[] =>
    a.slice(1).map((each, i) => distanceOf(each, b[i] ?? each));
  expect(median(distances(first, first))).toBeCloseTo(0.22, 1);
  expect(median(distances(first, second))).toBeCloseTo(0.45, 1);
});
