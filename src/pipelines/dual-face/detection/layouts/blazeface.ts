import type { ModelOutput } from '../../../../inference/engine.ts';
import type { Face } from '../face.ts';
import type { Size } from '../input-shape.ts';
import { sigmoid, type DetectorLayout } from './detector-layout.ts';

/** Edge of a cell in pixels of the input. */
const CELL = 4;
/** Channels of the box (centre, size) and six landmarks; one more holds the score before the sigmoid. */
const BOX_CHANNELS = 16;
const LANDMARKS = 6;

/**
 * BlazeFace full-range, decoded like MediaPipe's face_detection_full_range graph: one output of 17 channels with a cell
 * every 4 pixels; all positions are in pixels of the input, relative to the centre of the cell.
 */
export const BLAZEFACE: DetectorLayout = {
  name: 'BlazeFace full-range',
  range: { order: 'rgb', subtract: 127.5, factor: 1 / 127.5 },
  edge: 192,
  stride: 32,
  fits(outputs, { width, height }) {
    const [channels, rows, columns] = outputs[0]?.shape.slice(1) ?? [];
    const isOne = outputs.length === 1 && channels === BOX_CHANNELS + 1;
    return isOne && rows === height / CELL && columns === width / CELL;
  },
  decode,
};

function decode(outputs: readonly ModelOutput[], { width, height }: Size, minScore: number): Face[] {
  const numbers = outputs[0]?.data ?? new Float32Array(0);
  const columns = width / CELL;
  const cells = columns * (height / CELL);
  const faces: Face[] = [];
  for (let cell = 0; cell < cells; cell++) {
    const score = sigmoid(numbers[BOX_CHANNELS * cells + cell] ?? -Infinity);
    if (score < minScore) continue;
    const number = (channel: number) => numbers[channel * cells + cell] ?? 0;
    const centre = { x: ((cell % columns) + 0.5) * CELL, y: (Math.floor(cell / columns) + 0.5) * CELL };
    const [boxWidth, boxHeight] = [number(2), number(3)];
    const box = {
      x: centre.x + number(0) - boxWidth / 2,
      y: centre.y + number(1) - boxHeight / 2,
      width: boxWidth,
      height: boxHeight,
    };
    const landmarks = Array.from({ length: LANDMARKS }, (_, i) => ({
      x: centre.x + number(4 + 2 * i),
      y: centre.y + number(5 + 2 * i),
    }));
    faces.push({ box, score, landmarks });
  }
  return faces;
}
