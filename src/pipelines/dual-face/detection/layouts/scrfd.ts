import type { ModelOutput } from '../../../../inference/engine.ts';
import type { Face } from '../face.ts';
import type { Size } from '../input-shape.ts';
import { tables, type DetectorLayout } from './detector-layout.ts';

const STRIDES = [8, 16, 32];
/** Consecutive rows per cell. */
const ANCHORS = 2;
const LANDMARKS = 5;

/**
 * SCRFD with landmarks (Guo et al., 2021), decoded like InsightFace's scrfd.py. Each stride has three tables with two rows
 * per cell: the score, the distances from the cell's corner to the edges of the box (left, top, right, bottom), and the
 * landmarks relative to that corner, in strides.
 */
export const SCRFD: DetectorLayout = {
  name: 'SCRFD',
  range: { order: 'rgb', subtract: 127.5, factor: 1 / 128 },
  edge: 640,
  stride: 32,
  fits: (outputs, input) =>
    outputs.length === 3 * STRIDES.length &&
    STRIDES.every((stride) => tablesOf(outputs, input, stride) !== null),
  decode: (outputs, input, minScore) =>
    STRIDES.flatMap((stride) => decodeStride(outputs, input, stride, minScore)),
};

function tablesOf(outputs: readonly ModelOutput[], { width, height }: Size, stride: number) {
  const rows = ANCHORS * (width / stride) * (height / stride);
  const [scores] = tables(outputs, rows, 1);
  const [boxes] = tables(outputs, rows, 4);
  const [landmarks] = tables(outputs, rows, 2 * LANDMARKS);
  if (scores === undefined || boxes === undefined || landmarks === undefined) return null;
  return { scores: scores.data, boxes: boxes.data, landmarks: landmarks.data };
}

function decodeStride(
  outputs: readonly ModelOutput[],
  input: Size,
  stride: number,
  minScore: number,
): Face[] {
  const found = tablesOf(outputs, input, stride);
  if (found === null) throw new TypeError('The model outputs do not match SCRFD.');
  const columns = input.width / stride;
  const faces: Face[] = [];
  for (const [row, score] of found.scores.entries()) {
    if (score < minScore) continue;
    const cell = Math.floor(row / ANCHORS);
    const corner = { x: (cell % columns) * stride, y: Math.floor(cell / columns) * stride };
    const [left = 0, top = 0, right = 0, bottom = 0] = found.boxes.subarray(row * 4, row * 4 + 4);
    const box = {
      x: corner.x - left * stride,
      y: corner.y - top * stride,
      width: (left + right) * stride,
      height: (top + bottom) * stride,
    };
    const points = found.landmarks.subarray(row * 2 * LANDMARKS, (row + 1) * 2 * LANDMARKS);
    const landmarks = Array.from({ length: LANDMARKS }, (_, i) => ({
      x: corner.x + (points[2 * i] ?? 0) * stride,
      y: corner.y + (points[2 * i + 1] ?? 0) * stride,
    }));
    faces.push({ box, score, landmarks });
  }
  return faces;
}
