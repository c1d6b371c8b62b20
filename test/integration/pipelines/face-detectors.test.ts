import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { createOnnxEngine } from '../../../src/inference/onnx-engine.ts';
import { modelEntry, readManifest } from '../../../src/inference/models/manifest.ts';
import { loadFaceDetector } from '../../../src/pipelines/dual-face/detection/face-detector.ts';
import { iou } from '../../../src/pipelines/dual-face/tracking/box.ts';
import {
  DETECTOR_FILES,
  hasDetector,
  openDetector,
  type DetectorName,
} from '../../helpers/face-detectors.ts';
import { sharedMedia, whyNoSharedMedia } from '../../helpers/shared-media.ts';
import { tinySrvgg } from '../../helpers/tiny-models.ts';

const TWO_PEOPLE = sharedMedia('faces/head-pose-face-detection-female-and-male.gif');
const NAMES = Object.keys(DETECTOR_FILES) as DetectorName[];

/** Packed RGB of one frame of an animated image. */
async function readFrame(path: string, page: number): Promise<[Uint8Array, number, number]> {
  const { data, info } = await sharp(path, { page })
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return [data, info.width, info.height];
}

function needs(skip: (note: string) => never, ...names: DetectorName[]): void {
  if (whyNoSharedMedia !== null) skip(whyNoSharedMedia);
  for (const name of names) if (!hasDetector(name)) skip(`the model ${name} is not here`);
}

describe('real detectors find the two faces of the two-person clip', () => {
  test.for(NAMES)('%s', { timeout: 60_000 }, async (name, { skip }) => {
    needs(skip, name);
    const detector = await openDetector(name, { minScore: 0.5 });
    for (const page of [0, 20, 40]) {
      const faces = await detector.detect(...(await readFrame(TWO_PEOPLE, page)));
      expect(faces).toHaveLength(2);
      const [left, right] = faces.toSorted((a, b) => a.box.x - b.box.x);
      // The woman sits in the left half, the man in the right one; checked by eye in each frame.
      expect((left?.box.x ?? 0) + (left?.box.width ?? 0)).toBeLessThan(200);
      expect(right?.box.x).toBeGreaterThan(280);
      for (const { box, landmarks } of faces) {
        const [rightEye, leftEye, nose] = landmarks;
        for (const { x, y } of landmarks.slice(0, 3)) {
          expect(x).toBeGreaterThan(box.x);
          expect(x).toBeLessThan(box.x + box.width);
          expect(y).toBeGreaterThan(box.y);
          expect(y).toBeLessThan(box.y + box.height);
        }
        expect(leftEye?.x).toBeGreaterThan((rightEye?.x ?? Infinity) + 10);
        expect(nose?.y).toBeGreaterThan(Math.min(leftEye?.y ?? Infinity, rightEye?.y ?? Infinity));
      }
    }
  });
});

test(
  'detectors from different vendors agree on the positions of faces',
  { timeout: 60_000 },
  async ({ skip }) => {
    const names = ['blazeface-full-range', 'YuNet of any size', 'SCRFD'] as const;
    needs(skip, ...names);
    const frame = await readFrame(TWO_PEOPLE, 10);
    const [blazeFace = [], yuNet = [], scrfd = []] = await Promise.all(
      names.map(async (name) => {
        const faces = await (await openDetector(name, { minScore: 0.5 })).detect(...frame);
        return faces.map(({ box }) => box).toSorted((a, b) => a.x - b.x);
      }),
    );
    for (const [i, box] of yuNet.entries()) {
      const nothing = { x: 0, y: 0, width: 0, height: 0 };
      expect(iou(box, scrfd[i] ?? nothing)).toBeGreaterThan(0.75);
      // BlazeFace's boxes are squares from the brows to the chin.
      expect(iou(box, blazeFace[i] ?? nothing)).toBeGreaterThan(0.5);
    }
  },
);

test(
  'small faces are found in windows, which are not searched if a frame has two faces',
  { timeout: 60_000 },
  async ({ skip }) => {
    needs(skip, 'blazeface-full-range');
    const classroom = await readFrame(sharedMedia('faces/classroom.gif'), 0);
    const sure = async (enoughFaces: number, frame: [Uint8Array, number, number]) => {
      const detector = await openDetector('blazeface-full-range', { minScore: 0.5, enoughFaces });
      return (await detector.detect(...frame)).map(({ box, score }) => ({ ...box, score }));
    };
    const [whole, windows] = [await sure(0, classroom), await sure(2, classroom)];
    // Four pupils look this way, the largest of them with 19 of 480 px; seen by hand, and by YuNet and SCRFD.
    expect(whole.length).toBeLessThanOrEqual(1);
    const pupils = [
      { x: 308, y: 154, width: 19, height: 23 },
      { x: 65, y: 152, width: 19, height: 22 },
    ];
    for (const pupil of pupils) expect(windows.some((box) => iou(box, pupil) > 0.4)).toBe(true);
    const two = await readFrame(TWO_PEOPLE, 0);
    expect(await sure(2, two)).toEqual(await sure(0, two));
    expect(await sure(Infinity, two)).toHaveLength(2);
  },
);

test('the installed BlazeFace is that of the manifest', async ({ skip }) => {
  needs(skip, 'blazeface-full-range');
  const entry = modelEntry(await readManifest('models/manifest.json'), 'blazeface-full-range');
  const file = readFileSync(DETECTOR_FILES['blazeface-full-range']);
  expect(createHash('sha256').update(file).digest('hex')).toBe(entry.sha256);
});

test(
  'no face is found in images without faces, whatever their size',
  { timeout: 60_000 },
  async ({ skip }) => {
    needs(skip, 'blazeface-full-range');
    const detector = await openDetector('blazeface-full-range', { minScore: 0.5 });
    for (const [width, height] of [
      [640, 480],
      [33, 500],
      [1, 1],
    ] as const)
      expect(await detector.detect(new Uint8Array(width * height * 3).fill(90), width, height)).toEqual([]);
  },
);

test('a model that is not a detector is rejected with an explanation', async () => {
  const engines = [createOnnxEngine('cpu')];
  const options = { device: 'cpu', engines, threads: 1 } as const;
  await expect(loadFaceDetector(tinySrvgg(), 'tiny', options)).rejects.toThrow(
    /No engine can run the model .*outputs with the shapes 1x3x1280x1280 match no known face detector/,
  );
});
