/**
 * Measures how well a face detector does on labelled frames. The overlap of two boxes is an argument, `iou`, so that
 * this module can be tested without a build.
 */

/** Size classes of faces, by the face's width as a share of the frame's width. */
export const SIZES = [
  { name: 'under 5 %', minWidth: 0 },
  { name: '5 to 10 %', minWidth: 0.05 },
  { name: 'above 10 %', minWidth: 0.1 },
];

/** Detections below this score are ignored. */
export const MIN_SCORE = 0.5;
/** A detection finds a face if it overlaps the label by at least this much (IoU). */
export const MIN_IOU = 0.5;

/**
 * Runs a detector on frames with known faces: `recall` and `recallBySize` (null where a class is empty), `precision`,
 * the mean IoU of the faces that were found, and the median time of a frame. The first frame is also run once before
 * the measurement, as a warm-up.
 *
 * @param detector a `FaceDetector`
 * @param frames packed 8-bit RGB `pixels` with `width`, `height` and the boxes of the `faces`
 */
export async function measureDetector(detector, frames, { iou, now }) {
  const times = [];
  const overlaps = [];
  const classes = SIZES.map(() => ({ labelled: 0, found: 0 }));
  let [detected, labelled] = [0, 0];
  for (const { pixels, width, height, faces } of frames) {
    if (times.length === 0) await detector.detect(pixels, width, height);
    const startedAtMs = now();
    const detections = await detector.detect(pixels, width, height);
    times.push(now() - startedAtMs);
    const boxes = detections.filter(({ score }) => score >= MIN_SCORE).map(({ box }) => box);
    const matches = matchFaces(boxes, faces, iou);
    detected += boxes.length;
    labelled += faces.length;
    overlaps.push(...matches.values());
    for (const [i, face] of faces.entries()) {
      const sizeClass = classes[SIZES.findLastIndex(({ minWidth }) => face.width >= minWidth * width)];
      sizeClass.labelled++;
      if (matches.has(i)) sizeClass.found++;
    }
  }
  const found = overlaps.length;
  return {
    frames: times.length,
    faces: labelled,
    recall: labelled === 0 ? 1 : found / labelled,
    recallBySize: classes.map((each) => (each.labelled === 0 ? null : each.found / each.labelled)),
    precision: detected === 0 ? 1 : found / detected,
    meanIou: found === 0 ? 0 : overlaps.reduce((sum, overlap) => sum + overlap, 0) / found,
    medianMs: times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0,
  };
}

/**
 * The IoU of each label that was found, by the label's index. Each box takes the free label that it overlaps most.
 *
 * @param boxes the best score first
 */
export function matchFaces(boxes, labels, iou) {
  const matches = new Map();
  for (const box of boxes) {
    let best = null;
    for (const [label, labelBox] of labels.entries()) {
      const overlap = iou(box, labelBox);
      if (matches.has(label) || overlap < MIN_IOU) continue;
      if (best === null || overlap > best.overlap) best = { label, overlap };
    }
    if (best !== null) matches.set(best.label, best.overlap);
  }
  return matches;
}
