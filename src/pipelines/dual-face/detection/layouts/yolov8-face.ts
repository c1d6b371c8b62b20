import type { ModelOutput } from '../../../../inference/engine.ts';
import type { Face } from '../face.ts';
import type { Size } from '../input-shape.ts';
import { sigmoid, type DetectorLayout } from './detector-layout.ts';

const STRIDES = [8, 16, 32];
const LANDMARKS = 5;
/** Each landmark has a position and a visibility, which is not used. */
const LANDMARK_NUMBERS = 3 * LANDMARKS;
/** Channels of an export with decoded boxes: centre, size, score, landmarks. */
const DECODED_CHANNELS = 4 + 1 + LANDMARK_NUMBERS;
/** Channels of an export without decoding: each distance to an edge is a distribution over 0 to 15 strides (DFL). */
const BINS = 16;
const RAW_CHANNELS = 4 * BINS + 1 + LANDMARK_NUMBERS;

const COMMON = {
  range: { order: 'rgb', subtract: 0, factor: 1 / 255 },
  edge: 640,
  stride: 32,
} as const;

/** YOLOv8-face as exported by Ultralytics: one table of 20 rows with a column per cell, in pixels of the input. */
export const YOLOV8_FACE: DetectorLayout = {
  ...COMMON,
  name: 'YOLOv8-face',
  fits: (outputs, input) => {
    const [rows, columns] = outputs[0]?.shape.slice(-2) ?? [];
    return outputs.length === 1 && rows === DECODED_CHANNELS && columns === cellsOf(input);
  },
  decode(outputs, input, minScore) {
    const numbers = outputs[0]?.data ?? new Float32Array(0);
    const cells = cellsOf(input);
    const faces: Face[] = [];
    for (let cell = 0; cell < cells; cell++) {
      const number = (row: number) => numbers[row * cells + cell] ?? 0;
      const score = number(4);
      if (score < minScore) continue;
      const [width, height] = [number(2), number(3)];
      const box = { x: number(0) - width / 2, y: number(1) - height / 2, width, height };
      const landmarks = Array.from({ length: LANDMARKS }, (_, i) => ({
        x: number(5 + 3 * i),
        y: number(6 + 3 * i),
      }));
      faces.push({ box, score, landmarks });
    }
    return faces;
  },
};

/** YOLOv8-face exported without its last layers, for OpenCV: one output of 80 channels per stride. */
export const YOLOV8_FACE_HEADS: DetectorLayout = {
  ...COMMON,
  name: 'YOLOv8-face (heads)',
  fits: (outputs, input) =>
    outputs.length === STRIDES.length && STRIDES.every((stride) => headOf(outputs, input, stride) !== null),
  decode: (outputs, input, minScore) =>
    STRIDES.flatMap((stride) => decodeHead(headOf(outputs, input, stride), input, stride, minScore)),
};

function cellsOf({ width, height }: Size): number {
  return STRIDES.reduce((sum, stride) => sum + (width / stride) * (height / stride), 0);
}

function headOf(
  outputs: readonly ModelOutput[],
  { width, height }: Size,
  stride: number,
): Float32Array | null {
  const wanted = `${RAW_CHANNELS},${height / stride},${width / stride}`;
  return outputs.find(({ shape }) => shape.slice(-3).join() === wanted)?.data ?? null;
}

function decodeHead(
  numbers: Float32Array | null,
  { width, height }: Size,
  stride: number,
  minScore: number,
): Face[] {
  if (numbers === null) throw new TypeError('The model outputs do not match YOLOv8-face.');
  const columns = width / stride;
  const cells = columns * (height / stride);
  const faces: Face[] = [];
  for (let cell = 0; cell < cells; cell++) {
    const number = (channel: number) => numbers[channel * cells + cell] ?? 0;
    const score = sigmoid(number(4 * BINS));
    if (score < minScore) continue;
    const [column, row] = [cell % columns, Math.floor(cell / columns)];
    const [left, top, right, bottom] = [0, 1, 2, 3].map((side) =>
      expectedBin((bin) => number(side * BINS + bin)),
    ) as [number, number, number, number];
    const box = {
      x: (column + 0.5 - left) * stride,
      y: (row + 0.5 - top) * stride,
      width: (left + right) * stride,
      height: (top + bottom) * stride,
    };
    const landmarks = Array.from({ length: LANDMARKS }, (_, i) => ({
      x: (number(4 * BINS + 1 + 3 * i) * 2 + column) * stride,
      y: (number(4 * BINS + 2 + 3 * i) * 2 + row) * stride,
    }));
    faces.push({ box, score, landmarks });
  }
  return faces;
}

/** The mean of the distribution with these logits (softmax). */
function expectedBin(logit: (bin: number) => number): number {
  const logits = Array.from({ length: BINS }, (_, bin) => logit(bin));
  const largest = Math.max(...logits);
  const weights = logits.map((value) => Math.exp(value - largest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.reduce((sum, weight, bin) => sum + weight * bin, 0) / total;
}
