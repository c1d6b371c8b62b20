import { seededRandom } from '../../../src/lib/seeded-random.ts';
import { iou, type Box, type Detection } from '../../../src/pipelines/dual-face/tracking/box.ts';
import type { LabelledBox } from './tracking-metrics.ts';

/** The event in the middle of a scenario with two people. */
export const SCENARIO_KINDS = ['steady', 'crossing', 'occlusion', 're-entry', 'scale', 'cut'] as const;
export type ScenarioKind = (typeof SCENARIO_KINDS)[number];

export interface ScenarioFrame {
  /** The visible faces. */
  readonly truth: readonly LabelledBox[];
  /** The detections of a mediocre detector. */
  readonly detections: readonly Detection[];
  readonly isCut: boolean;
  /** The embedding that the face recognition model would return for the content of a box. */
  readonly embed: (box: Box) => Promise<Float32Array | null>;
}

export interface Scenario {
  readonly kind: ScenarioKind;
  readonly seed: number;
  /** Width of the image in pixels. */
  readonly width: number;
  readonly frames: readonly ScenarioFrame[];
}

const WIDTH = 1280;
const HEIGHT = 720;
const FRAMES_PER_SECOND = 30;
const FRAMES = 10 * FRAMES_PER_SECOND;
const MISSED_SHARE = 0.2;
const FALSE_SHARE = 0.1;
/** Standard deviation of each edge of a detected box, as a share of the face's size. */
const BOX_NOISE = 0.03;
/** A face that overlaps one in front of it by more than this is hidden. */
const HIDDEN_OVERLAP = 0.3;

interface Person {
  readonly id: number;
  readonly box: Box;
  readonly isVisible: boolean;
  readonly isAfterCut: boolean;
}

/** Ten seconds of two people at 1280x720, identical for the same seed. */
export function syntheticScenario(seed: number): Scenario {
  const random = seededRandom(seed);
  // Embeddings have their own generator, so that the number of comparisons does not change the scenario.
  const faceRandom = seededRandom(seed + 1_000_000);
  const kind = SCENARIO_KINDS[seed % SCENARIO_KINDS.length] ?? 'steady';
  const people = peopleOf(kind, random);
  const frames = Array.from({ length: FRAMES }, (_, frame) => {
    const [front, back] = [people(1, frame), people(2, frame)];
    const isCovered = front.isVisible && iou(front.box, back.box) > HIDDEN_OVERLAP;
    const truth = [front, ...(isCovered ? [] : [back])].filter(({ isVisible }) => isVisible);
    return {
      truth: truth.map(({ id, box }) => ({ id, box })),
      detections: detect(truth, random),
      isCut: kind === 'cut' && people(1, frame).isAfterCut && !people(1, frame - 1).isAfterCut,
      embed: (box: Box) =>
        Promise.resolve(embedding(truth.find((each) => iou(each.box, box) > 0.4)?.id ?? null, faceRandom)),
    };
  });
  return { kind, seed, width: WIDTH, frames };
}

/** Position of each person in a frame. Person 1 starts on the left and is in front. */
function peopleOf(kind: ScenarioKind, random: () => number): (id: number, frame: number) => Person {
  const size = between(random, 90, 180);
  const seats = [
    { x: between(random, 0.2, 0.32) * WIDTH, y: between(random, 0.35, 0.6) * HEIGHT },
    { x: between(random, 0.68, 0.8) * WIDTH, y: between(random, 0.35, 0.6) * HEIGHT },
  ] as const;
  const sway = { pixels: size * 0.15, frames: between(random, 60, 120) };
  const middle = between(random, 100, 160);
  const eventFrames = Math.round(between(random, 0.2, 2) * FRAMES_PER_SECOND);
  const crossingFrames = between(random, 45, 90);
  const growth = between(random, 0.5, 1.8);

  return (id, frame) => {
    const isFirst = id === 1;
    let { x, y } = isFirst ? seats[0] : seats[1];
    let edge = size;
    let isVisible = true;
    const during = frame >= middle && frame < middle + eventFrames;
    if (kind === 'crossing') {
      const other = isFirst ? seats[1] : seats[0];
      const share = smooth((frame - middle) / crossingFrames);
      x += (other.x - x) * share;
      y += (other.y - y) * share;
    }
    if (kind === 'occlusion' && !isFirst) isVisible = !during;
    if (kind === 're-entry' && !isFirst) {
      // Leaves the image within half a second and returns after the event.
      const away = smooth((frame - middle) / 15) - smooth((frame - middle - 15 - eventFrames) / 15);
      x += (WIDTH + size - x) * away;
      isVisible = x + size / 2 < WIDTH;
    }
    if (kind === 'scale' && isFirst) edge *= 1 + (growth - 1) * smooth((frame - middle) / 60);
    // After a cut, the camera has another position.
    const isAfterCut = kind === 'cut' && frame >= middle;
    if (isAfterCut) {
      x = WIDTH / 2 + (x - WIDTH / 2) * 0.7;
      y += HEIGHT * 0.1;
      edge *= 1.3;
    }
    x += sway.pixels * Math.sin((2 * Math.PI * frame) / sway.frames + id);
    return {
      id,
      box: { x: x - edge * 0.4, y: y - edge / 2, width: edge * 0.8, height: edge },
      isVisible,
      isAfterCut,
    };
  };
}

function detect(truth: readonly LabelledBox[], random: () => number): Detection[] {
  const seen = truth
    .filter(() => random() >= MISSED_SHARE)
    .map(({ box }) => {
      const off = (): number => gaussian(random) * BOX_NOISE * box.height;
      const [x, y] = [box.x + off(), box.y + off()];
      const [width, height] = [Math.max(8, box.width + off()), Math.max(8, box.height + off())];
      return { box: { x, y, width, height }, score: between(random, 0.55, 0.98) };
    });
  const falsePositives = truth.filter(() => random() < FALSE_SHARE).map(() => falseDetection(random));
  return [...seen, ...falsePositives];
}

function falseDetection(random: () => number): Detection {
  const edge = between(random, 40, 200);
  const box = {
    x: random() * (WIDTH - edge),
    y: random() * (HEIGHT - edge),
    width: edge * 0.8,
    height: edge,
  };
  return { box, score: between(random, 0.3, 0.8) };
}

const EMBEDDING = 128;
/** With these, the median distances are those of the real model: 0.22 for the same person, 0.45 for different people. */
const FACE_NOISE = 0.0137;
const FACE_SHARE = 0.28;
/** Share of the embeddings of half-covered faces, which are three times as noisy. */
const COVERED_SHARE = 0.08;

/** @param person null: the box shows no face */
function embedding(person: number | null, random: () => number): Float32Array {
  const noise = FACE_NOISE * (person === null ? 6 : random() < COVERED_SHARE ? 3 : 1);
  const values = Float32Array.from({ length: EMBEDDING }, (_, i) => {
    const common = 1 / Math.sqrt(EMBEDDING);
    return common + (i === person ? FACE_SHARE : 0) + gaussian(random) * noise;
  });
  const length = Math.hypot(...values);
  return values.map((value) => value / length);
}

function between(random: () => number, from: number, to: number): number {
  return from + (to - from) * random();
}

/** The smoothstep function: 0 below 0, 1 above 1. */
function smooth(share: number): number {
  const clamped = Math.min(1, Math.max(0, share));
  return clamped * clamped * (3 - 2 * clamped);
}

/** A sample of the standard normal distribution (Box and Muller 1958). */
function gaussian(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
