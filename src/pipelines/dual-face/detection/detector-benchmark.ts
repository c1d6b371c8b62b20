import { iou, type Box } from '../tracking/box.ts';
import type { FaceDetector } from './face.ts';

/** An image with the faces that are known to be in it. */
export interface LabelledFrame {
  /** Packed RGB of 8 bits. */
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly faces: readonly Box[];
}

/** Faces by the share of the frame's width that they take up. */
export const SIZES = [
  { name: 'under 5 %', least: 0 },
  { name: '5 to 10 %', least: 0.05 },
  { name: 'above 10 %', least: 0.1 },
] as const;

export interface DetectorResult {
  readonly frames: number;
  readonly faces: number;
  /** Of the labelled faces, the share that was found; of those of each size too, null where there are none. */
  readonly recall: number;
  readonly recallBySize: readonly (number | null)[];
  /** Of what was found, the share that is a labelled face; 1 where nothing was found. */
  readonly precision: number;
  /** Mean overlap of the faces that were found with their labels. */
  readonly meanIou: number;
  readonly medianMs: number;
}

/** A face is found where a box of at least this score overlaps its label by at least this much. */
export const LEAST_SCORE = 0.5;
const LEAST_IOU = 0.5;

/**
 * Holds a detector against labelled frames: boxes are given to labels in the order of their scores, each label once.
 * The first frame is looked at twice, so that what a first run costs is not in the time.
 */
export async function measureDetector(
  detector: FaceDetector,
  frames: Iterable<LabelledFrame>,
  now: () => number,
): Promise<DetectorResult> {
  const times: number[] = [];
  const overlaps: number[] = [];
  const bySize = SIZES.map(() => ({ labelled: 0, found: 0 }));
  let [boxes, labels] = [0, 0];
  for (const { pixels, width, height, faces } of frames) {
    if (times.length === 0) await detector.detect(pixels, width, height);
    const startedAtMs = now();
    const seen = await detector.detect(pixels, width, height);
    times.push(now() - startedAtMs);
    const matches = matchFaces(
      seen.filter(({ score }) => score >= LEAST_SCORE).map(({ box }) => box),
      faces,
    );
    boxes += seen.filter(({ score }) => score >= LEAST_SCORE).length;
    labels += faces.length;
    for (const [i, face] of faces.entries()) {
      const size = bySize[SIZES.findLastIndex(({ least }) => face.width >= least * width)];
      const overlap = matches.get(i);
      if (size === undefined) continue;
      size.labelled++;
      if (overlap === undefined) continue;
      size.found++;
      overlaps.push(overlap);
    }
  }
  const found = overlaps.length;
  return {
    frames: times.length,
    faces: labels,
    recall: labels === 0 ? 1 : found / labels,
    recallBySize: bySize.map((size) => (size.labelled === 0 ? null : size.found / size.labelled)),
    precision: boxes === 0 ? 1 : found / boxes,
    meanIou: found === 0 ? 0 : overlaps.reduce((sum, overlap) => sum + overlap, 0) / found,
    medianMs: times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0,
  };
}

/** The overlap of each label that was found, by its number. `boxes` with the best score first. */
export function matchFaces(boxes: readonly Box[], labels: readonly Box[]): Map<number, number> {
  const matches = new Map<number, number>();
  for (const box of boxes) {
    let best: { readonly label: number; readonly overlap: number } | null = null;
    for (const [label, wanted] of labels.entries()) {
      const overlap = iou(box, wanted);
      if (!matches.has(label) && overlap >= LEAST_IOU && overlap > (best?.overlap ?? 0))
        best = { label, overlap };
    }
    if (best !== null) matches.set(best.label, best.overlap);
  }
  return matches;
}
