import { expect, it } from 'vitest';
import { distanceOf } from '../../../../../src/pipelines/dual-face/identity/face-embedder.ts';
import {
  SCENARIO_KINDS,
  syntheticScenario,
} from '../../../../../src/pipelines/dual-face/tracking/synthetic-scenarios.ts';
import {
  BENCHMARK_METHODS,
  runTrackingBenchmark,
} from '../../../../../src/pipelines/dual-face/tracking/tracking-benchmark.ts';

it('is the same for the same seed and another for another', () => {
  const plain = (seed: number): unknown =>
    syntheticScenario(seed).frames.map(({ truth, detections }) => [truth, detections]);
  expect(plain(7)).toEqual(plain(7));
  expect(plain(7)).not.toEqual(plain(7 + SCENARIO_KINDS.length));
});

it('misses a fifth of the faces and invents a tenth, about', () => {
  const frames = Array.from({ length: 12 }, (_, seed) => syntheticScenario(seed).frames).flat();
  const truth = frames.reduce((sum, frame) => sum + frame.truth.length, 0);
  const detections = frames.reduce((sum, frame) => sum + frame.detections.length, 0);
  expect(detections / truth).toBeCloseTo(0.9, 1);
});

it('covers a face in a crossing and in an occlusion', () => {
  for (const kind of ['crossing', 'occlusion', 're-entry'] as const) {
    const { frames } = syntheticScenario(SCENARIO_KINDS.indexOf(kind));
    expect(frames.some(({ truth }) => truth.length === 1)).toBe(true);
    expect(frames.at(-1)?.truth).toHaveLength(2);
  }
});

it('gives faces numbers that tell them apart as well as the real model does', async () => {
  const { frames } = syntheticScenario(0);
  const looksAt = (person: number): Promise<Float32Array[]> =>
    Promise.all(
      frames.flatMap(({ truth, embed }) => {
        const box = truth.find(({ id }) => id === person)?.box;
        return box === undefined
          ? []
          : [embed(box).then((each) => each ?? expect.fail('a face has numbers'))];
      }),
    );
  const [first, second] = [await looksAt(1), await looksAt(2)];
  const median = (of: readonly number[]): number =>
    [...of].sort((a, b) => a - b)[Math.floor(of.length / 2)] ?? NaN;
  const apart = (a: readonly Float32Array[], b: readonly Float32Array[]): number[] =>
    a.slice(1).map((each, i) => distanceOf(each, b[i] ?? each));
  expect(median(apart(first, first))).toBeCloseTo(0.22, 1);
  expect(median(apart(first, second))).toBeCloseTo(0.45, 1);
});

it('keeps who is who, the better the more is looked at, and seldom needs to look', async () => {
  const { rows } = await runTrackingBenchmark(10 * SCENARIO_KINDS.length, () => performance.now());
  expect(rows.map(({ method, kind }) => `${method} ${kind}`)).toEqual(
    BENCHMARK_METHODS.flatMap((method) => [...SCENARIO_KINDS, 'all'].map((kind) => `${method} ${kind}`)),
  );
  const [tracks, places, looks] = BENCHMARK_METHODS.map((method) =>
    rows.find((row) => row.method === method && row.kind === 'all'),
  );
  expect(tracks).toMatchObject({ scenarios: 60, paneSwaps: null, comparedShare: 0 });
  expect(places?.idf1).toBeGreaterThan(tracks?.idf1 ?? 1);
  expect(looks?.idf1).toBeGreaterThan(0.97);
  expect(looks?.comparedShare).toBeGreaterThan(0);
  expect(looks?.comparedShare).toBeLessThan(0.05);
});
