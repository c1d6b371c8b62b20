import { expect, it } from 'vitest';
import {
  SCENARIO_KINDS,
  syntheticScenario,
} from '../../../../../src/pipelines/dual-face/tracking/synthetic-scenarios.ts';
import { runTrackingBenchmark } from '../../../../../src/pipelines/dual-face/tracking/tracking-benchmark.ts';

it('is the same for the same seed and another for another', () => {
  expect(syntheticScenario(7)).toEqual(syntheticScenario(7));
  expect(syntheticScenario(7).frames).not.toEqual(syntheticScenario(7 + SCENARIO_KINDS.length).frames);
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

it('follows faces that stay in sight without losing who is who', () => {
  const { rows } = runTrackingBenchmark(2 * SCENARIO_KINDS.length, () => performance.now());
  expect(rows.map(({ kind }) => kind)).toEqual([...SCENARIO_KINDS, 'all']);
  const steady = rows.find(({ kind }) => kind === 'steady');
  expect(steady).toMatchObject({ scenarios: 2, switches: 0 });
  expect(steady?.idf1).toBeGreaterThan(0.8);
});
