import { expect, test } from 'vitest';
import type { Face, FaceDetector } from '../../../src/pipelines/dual-face/detection/face.ts';
import { iou, type Box } from '../../../src/pipelines/dual-face/tracking/box.ts';

interface LabelledFrame {
  pixels: Uint8Array;
  width: number;
  height: number;
  faces: Box[];
}
type Iou = typeof iou;
const script = new URL('../../../bench/measure-detector.mjs', import.meta.url).href;
const { matchFaces, measureDetector } = (await import(script)) as {
  matchFaces: (boxes: Box[], labels: Box[], iou: Iou) => Map<number, number>;
  measureDetector: (
    detector: FaceDetector,
    frames: LabelledFrame[],
    options: { iou: Iou; now: () => number },
  ) => Promise<object>;
};

const box = (x: number, width = 10) => ({ x, y: 0, width, height: 10 });
const face = (x: number, score: number, width = 10): Face => ({ box: box(x, width), score, landmarks: [] });

/** A detector with scripted results, one per frame; the first comes twice because of the warm-up. */
function detectorOf(...answers: Face[][]): FaceDetector {
  const all = [answers[0] ?? [], ...answers];
  return {
    name: 'test',
    summary: 'test',
    detect: () => Promise.resolve(all.shift() ?? []),
    dispose: () => Promise.resolve(),
  };
}

test('each label is matched once, by the best score first, with an IoU of at least 0.5', () => {
  expect([...matchFaces([box(0), box(1), box(100)], [box(1)], iou)]).toEqual([[0, 9 / 11]]);
  expect([...matchFaces([box(1), box(100)], [box(0), box(1), box(106)], iou)]).toEqual([[1, 1]]);
});

test('recall, precision, IoU and time of three frames match a count by hand', async () => {
  // A frame 100 px wide with labels of 4, 8 and 20 px: the one of 4 px is missed, the one of 20 px found with IoU 0.75.
  const first = { faces: [box(0, 4), box(20, 8), box(60, 20)], found: [face(20, 0.9, 8), face(60, 0.8, 15)] };
  // One found, one false positive, and one below the score threshold.
  const second = { faces: [box(0, 20)], found: [face(0, 0.7, 20), face(70, 0.6), face(40, 0.4)] };
  const third = { faces: [], found: [] };
  const frames = [first, second, third].map(({ faces }) => ({
    pixels: new Uint8Array(3),
    width: 100,
    height: 10,
    faces,
  }));
  const times = [0, 10, 100, 130, 200, 220];
  const now = () => times.shift() ?? NaN;
  const result = await measureDetector(detectorOf(first.found, second.found, third.found), frames, {
    iou,
    now,
  });
  expect(result).toEqual({
    frames: 3,
    faces: 4,
    recall: 3 / 4,
    recallBySize: [0, 1, 1],
    precision: 3 / 4,
    meanIou: (1 + 0.75 + 1) / 3,
    medianMs: 20,
  });
});

test('a detector that finds nothing in frames without faces has full recall and precision', async () => {
  const frames = [{ pixels: new Uint8Array(3), width: 1, height: 1, faces: [] }];
  const result = await measureDetector(detectorOf([]), frames, { iou, now: () => 0 });
  expect(result).toMatchObject({ recall: 1, precision: 1, recallBySize: [null, null, null], meanIou: 0 });
});
