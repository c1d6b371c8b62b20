import { ByteTracker } from './byte-tracker.ts';
import {
  SCENARIO_KINDS,
  syntheticScenario,
  type Scenario,
  type ScenarioKind,
} from './synthetic-scenarios.ts';
import { trackingScores, type FramePair } from './tracking-metrics.ts';

export interface BenchmarkRow {
  readonly kind: ScenarioKind | 'all';
  readonly scenarios: number;
  /** Means over the scenarios. */
  readonly idf1: number;
  readonly mota: number;
  /** Sum over the scenarios. */
  readonly switches: number;
}

export interface TrackingBenchmark {
  readonly rows: readonly BenchmarkRow[];
  /** Association alone, with ten faces in each frame. */
  readonly framesPerSecond: number;
}

/** Runs the tracker over the scenarios of the seeds 0 to `scenarios` - 1. @param now milliseconds, of any origin */
export function runTrackingBenchmark(scenarios: number, now: () => number): TrackingBenchmark {
  const scored = Array.from({ length: scenarios }, (_, seed) => {
    const scenario = syntheticScenario(seed);
    return { kind: scenario.kind, ...trackingScores(track(scenario)) };
  });
  const row = (kind: BenchmarkRow['kind']): BenchmarkRow => {
    const of = scored.filter((each) => kind === 'all' || each.kind === kind);
    const sum = (key: 'idf1' | 'mota' | 'switches'): number =>
      of.reduce((total, each) => total + each[key], 0);
    return {
      kind,
      scenarios: of.length,
      idf1: sum('idf1') / of.length,
      mota: sum('mota') / of.length,
      switches: sum('switches'),
    };
  };
  const kinds = SCENARIO_KINDS.filter((kind) => scored.some((each) => each.kind === kind));
  return { rows: [...kinds, 'all' as const].map(row), framesPerSecond: associationSpeed(now) };
}

/** What the tracker makes of a scenario, beside what is true. */
function track({ frames }: Scenario): FramePair[] {
  const tracker = new ByteTracker();
  return frames.map(({ truth, detections }) => ({ truth, found: tracker.update(detections) }));
}

const SPEED_FACES = 10;
const SPEED_FRAMES = 3000;
const WARM_UP_FRAMES = 500;

function associationSpeed(now: () => number): number {
  const tracker = new ByteTracker();
  let startedAt = now();
  for (let frame = 0; frame < WARM_UP_FRAMES + SPEED_FRAMES; frame++) {
    if (frame === WARM_UP_FRAMES) startedAt = now();
    tracker.update(
      Array.from({ length: SPEED_FACES }, (_, face) => ({
        box: { x: 120 * face + 10 * Math.sin(frame / 20 + face), y: 300, width: 80, height: 100 },
        score: 0.9,
      })),
    );
  }
  return (SPEED_FRAMES * 1000) / (now() - startedAt);
}
