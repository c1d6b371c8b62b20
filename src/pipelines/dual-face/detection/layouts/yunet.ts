import type { ModelOutput } from '../../../../inference/engine.ts';
import type { Face } from '../face.ts';
import type { Size } from '../input-shape.ts';
import { tables, type DetectorLayout } from './detector-layout.ts';

const STRIDES = [8, 16, 32];

/**
 * YuNet (Wu, Peng and Yu, 2023), decoded like OpenCV's FaceDetectorYN. Each stride has four tables with one row per cell:
 * two scores whose geometric mean is the score, the box (centre relative to the cell's corner and logarithm of the size,
 * in strides), and five landmarks relative to that corner.
 */
export const YUNET: DetectorLayout = {
  name: 'YuNet',
  range: { order: 'bgr', subtract: 0, factor: 1 },
  edge: 640,
  stride: 32,
  fits: (outputs, input) =>
    outputs.length === 12 && STRIDES.every((stride) => tablesOf(outputs, input, stride) !== null),
  decode: (outputs, input, minScore) =>
    STRIDES.flatMap((stride) => decodeStride(outputs, input, stride, minScore)),
};

function tablesOf(outputs: readonly ModelOutput[], { width, height }: Size, stride: number) {
  const cells = (width / stride) * (height / stride);
  const [first, second] = tables(outputs, cells, 1);
  const [boxes] = tables(outputs, cells, 4);
  const [landmarks] = tables(outputs, cells, 10);
  if (first === undefined || second === undefined || boxes === undefined || landmarks === undefined)
    return null;
  return { first: first.data, second: second.data, boxes: boxes.data, landmarks: landmarks.data };
}

function decodeStride(
  outputs: readonly ModelOutput[],
  input: Size,
  stride: number,
  minScore: number,
): Face[] {
  const found = tablesOf(outputs, input, stride);
  if (found === null) throw new TypeError('The model outputs do not match YuNet.');
  const { first, second, boxes, landmarks } = found;
  const columns = input.width / stride;
  const faces: Face[] = [];
  for (let cell = 0; cell < first.length; cell++) {
    const score = Math.sqrt(clamp(first[cell]) * clamp(second[cell]));
    if (score < minScore) continue;
    const [column, row] = [cell % columns, Math.floor(cell / columns)];
    const [x = 0, y = 0, logWidth = 0, logHeight = 0] = boxes.subarray(cell * 4, cell * 4 + 4);
    const [width, height] = [Math.exp(logWidth) * stride, Math.exp(logHeight) * stride];
    const box = { x: (column + x) * stride - width / 2, y: (row + y) * stride - height / 2, width, height };
    const points = Array.from({ length: 5 }, (_, i) => ({
      x: (column + (landmarks[cell * 10 + 2 * i] ?? 0)) * stride,
      y: (row + (landmarks[cell * 10 + 2 * i + 1] ?? 0)) * stride,
    }));
    faces.push({ box, score, landmarks: points });
  }
  return faces;
}

function clamp(value = 0): number {
  return Math.min(1, Math.max(0, value));
}
