import { FIRST_ANALYSIS } from '../../../src/pipelines/dual-face/analysis/analysis-state.ts';
import { followFaces } from '../../../src/pipelines/dual-face/analysis/analyse-frames.ts';
import type { Observation } from '../../../src/pipelines/dual-face/analysis/observation.ts';
import { directVideo, type DirectedVideo } from '../../../src/pipelines/dual-face/direction/director.ts';
import type { Person } from '../../../src/pipelines/dual-face/identity/person.ts';
import { iou, type Box } from '../../../src/pipelines/dual-face/tracking/box.ts';
import { ByteTracker } from '../../../src/pipelines/dual-face/tracking/byte-tracker.ts';
import {
  SCENARIO_KINDS,
  syntheticScenario,
  type ScenarioFrame,
  type ScenarioKind,
} from './synthetic-scenarios.ts';
import { trackingScores, type FramePair, type LabelledBox } from './tracking-metrics.ts';

/**
 * How people are identified: by tracks alone, which ignore cuts; by tracks and the position and size of lost people; or
 * additionally by all embeddings of whole tracks.
 */
export const BENCHMARK_METHODS = ['tracks', 'position and size', 'whole tracks'] as const;
export type BenchmarkMethod = (typeof BENCHMARK_METHODS)[number];

export interface BenchmarkRow {
  readonly method: BenchmarkMethod;
  readonly kind: ScenarioKind | 'all';
  readonly scenarios: number;
  /** Means over all scenarios of the row. */
  readonly idf1: number;
  readonly mota: number;
  /** Sums over the scenarios. After a lasting switch, the identity at the end differs from the one at the start. */
  readonly switches: number;
  readonly lastingSwitches: number;
  /** Number of times a pane changed to the other person, not counting the first frames after a cut; null for tracks. */
  readonly paneSwaps: number | null;
  /** Share of the frames in which faces were compared. */
  readonly comparedShare: number;
}

export interface TrackingBenchmark {
  readonly rows: readonly BenchmarkRow[];
  /** Speed of the tracker alone, with ten faces in each frame. */
  readonly framesPerSecond: number;
}

/** Scores of a method on one scenario, with the fields of BenchmarkRow. */
export interface Outcome {
  readonly idf1: number;
  readonly mota: number;
  readonly switches: number;
  readonly lastingSwitches: number;
  readonly paneSwaps: number;
  readonly comparedShare: number;
}

type PlayedScenario = Outcome & { readonly kind: ScenarioKind };

/** Runs all methods on the scenarios with the seeds 0 to `scenarios` - 1. @param now a clock in milliseconds */
export async function runTrackingBenchmark(scenarios: number, now: () => number): Promise<TrackingBenchmark> {
  const rows: BenchmarkRow[] = [];
  for (const method of BENCHMARK_METHODS) {
    const outcomes: PlayedScenario[] = [];
    for (let seed = 0; seed < scenarios; seed++) {
      const { kind, frames, width } = syntheticScenario(seed);
      outcomes.push({ kind, ...(await playScenario(frames, width, method)) });
    }
    const kinds = SCENARIO_KINDS.filter((kind) => outcomes.some((each) => each.kind === kind));
    for (const kind of [...kinds, 'all' as const]) rows.push(summary(method, kind, outcomes));
  }
  return { rows, framesPerSecond: associationSpeed(now) };
}

function summary(
  method: BenchmarkMethod,
  kind: BenchmarkRow['kind'],
  outcomes: readonly PlayedScenario[],
): BenchmarkRow {
  const of = outcomes.filter((each) => kind === 'all' || each.kind === kind);
  const sum = (key: keyof Outcome): number => of.reduce((total, each) => total + each[key], 0);
  return {
    method,
    kind,
    scenarios: of.length,
    idf1: sum('idf1') / of.length,
    mota: sum('mota') / of.length,
    switches: sum('switches'),
    lastingSwitches: sum('lastingSwitches'),
    paneSwaps: method === 'tracks' ? null : sum('paneSwaps'),
    comparedShare: sum('comparedShare') / of.length,
  };
}

/** Frames in which a face that is not detected counts as found, between two frames in which it is. */
const MAX_GAP = 6;
/** Frames after a cut in which a pane may change. */
const SETTLING = 5;

/** Runs a method on a scenario and scores its result. @param width of the image in pixels */
export async function playScenario(
  frames: readonly ScenarioFrame[],
  width: number,
  method: BenchmarkMethod,
): Promise<Outcome> {
  if (method === 'tracks') {
    const tracker = new ByteTracker();
    const pairs = frames.map(({ truth, detections }) => ({ truth, found: tracker.update(detections) }));
    const scores = { ...trackingScores(pairs), lastingSwitches: lastingSwitches(pairs) };
    return { ...scores, paneSwaps: 0, comparedShare: 0 };
  }
  const observations = await observe(frames, method === 'whole tracks');
  const directed = await directVideo(observations, {
    geometryOf: () => ({ width, height: (width * 9) / 16, aspect: 8 / 9 }),
    framesPerSecond: 30,
    recipe: { layout: 'side-by-side', single: 'full', missing: 'wide', detectEvery: 1 },
  });
  const found = directed.people.map((person) => ({ id: person.id, boxes: boxesOf(person) }));
  const pairs: FramePair[] = frames.map(({ truth }, frame) => ({
    truth,
    found: found.flatMap(({ id, boxes }) => {
      const box = boxes.get(frame);
      return box === undefined ? [] : [{ id, box }];
    }),
  }));
  const compared = observations.filter(({ faces }) => faces?.some(({ embedding }) => embedding !== null));
  return {
    ...trackingScores(pairs),
    lastingSwitches: lastingSwitches(pairs),
    paneSwaps: paneSwaps(pairs, directed),
    comparedShare: compared.length / frames.length,
  };
}

async function observe(frames: readonly ScenarioFrame[], comparesFaces: boolean): Promise<Observation[]> {
  let state = FIRST_ANALYSIS;
  const observations: Observation[] = [];
  for (const [i, { detections, isCut, embed }] of frames.entries()) {
    const isNewShot = i === 0 || isCut;
    const look = comparesFaces ? embed : () => Promise.resolve(null);
    const followed = await followFaces(state, detections, isNewShot, look);
    state = followed.state;
    observations.push({ isNewShot, dissolveFrames: 0, faces: followed.faces });
  }
  return observations;
}

/** The boxes of a person by frame; in short gaps they are interpolated, as by the director. */
function boxesOf({ tracklets }: Person): Map<number, Box> {
  const boxes = new Map<number, Box>();
  const sightings = tracklets
    .flatMap(({ shot, sightings: own }) => own.map((sighting) => ({ ...sighting, shot })))
    .sort((a, b) => a.frame - b.frame);
  for (const [i, { frame, box, shot }] of sightings.entries()) {
    const before = sightings[i - 1]?.shot === shot ? sightings[i - 1] : undefined;
    const gap = before === undefined ? Infinity : frame - before.frame;
    if (before !== undefined && gap <= MAX_GAP)
      for (let step = 1; step < gap; step++)
        boxes.set(before.frame + step, between(before.box, box, step / gap));
    boxes.set(frame, box);
  }
  return boxes;
}

function between(a: Box, b: Box, share: number): Box {
  const at = (key: keyof Box): number => a[key] + share * (b[key] - a[key]);
  return { x: at('x'), y: at('y'), width: at('width'), height: at('height') };
}

function paneSwaps(pairs: readonly FramePair[], { shots }: DirectedVideo): number {
  const watch = new PaneWatch();
  for (const { from, stretches } of shots) {
    for (const { from: start, to, people } of stretches) {
      for (let frame = start; frame < to; frame++) {
        const { truth, found } = pairs[frame] ?? { truth: [], found: [] };
        const shown = [people[0], people[1]].map((id) => found.find((each) => each.id === id) ?? null);
        watch.check(truth, shown, frame - from < SETTLING);
      }
    }
  }
  return watch.swaps;
}

/** Number of people whose identity in the last two seconds differs from that in the first two. */
function lastingSwitches(pairs: readonly FramePair[]): number {
  const usual = (of: readonly FramePair[], id: number): number | undefined => {
    const counts = new Map<number, number>();
    for (const { truth, found } of of) {
      const box = truth.find((each) => each.id === id)?.box;
      const cover = box === undefined ? undefined : found.find((each) => iou(each.box, box) > 0.5);
      if (cover !== undefined) counts.set(cover.id, (counts.get(cover.id) ?? 0) + 1);
    }
    return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
  };
  return [1, 2].filter((id) => usual(pairs.slice(0, 60), id) !== usual(pairs.slice(-60), id)).length;
}

/** Counts the frames in which a pane changes to another person without a reason. */
class PaneWatch {
  swaps = 0;
  #shown: (number | null)[] = [null, null];

  check(truth: readonly LabelledBox[], panes: readonly (LabelledBox | null)[], mayChange: boolean): void {
    const who = panes.map((pane, i) =>
      pane === null ? null : personIn(pane, truth, this.#shown[i] ?? null),
    );
    const changed = who.filter((id, i) => id !== null && this.#shown[i] !== null && id !== this.#shown[i]);
    if (changed.length > 0 && !mayChange) this.swaps++;
    this.#shown = who.map((id, i) => id ?? (mayChange ? null : (this.#shown[i] ?? null)));
  }
}

/** The person whose face a box covers; if faces overlap, the one that it covered before, even if now hidden. */
function personIn({ box }: LabelledBox, truth: readonly LabelledBox[], before: number | null): number | null {
  const covered = truth.filter((each) => iou(each.box, box) > 0.5).map(({ id }) => id);
  const isHidden = before !== null && truth.every(({ id }) => id !== before);
  if (isHidden || (before !== null && covered.includes(before))) return before;
  return covered[0] ?? null;
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
