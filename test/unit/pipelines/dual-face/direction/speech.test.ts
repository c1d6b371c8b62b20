import { expect, test } from 'vitest';
import { speechIn } from '../../../../../src/pipelines/dual-face/direction/speech.ts';

const RATE = 25;
const levels = (...parts: readonly [frames: number, level: number][]): Float32Array =>
  Float32Array.from(parts.flatMap(([frames, level]) => new Array<number>(frames).fill(level)));

test('loud parts are speech, also the pauses between words, and long pauses are not', () => {
  const speech = speechIn(levels([50, -20], [5, -50], [50, -22], [75, -50]), RATE);
  expect(speech?.[20]).toBe(1);
  expect(speech?.[52]).toBe(1);
  expect(speech?.[150]).toBe(0);
});

test.each([
  ['no audio at all', levels([100, -Infinity])],
  ['noise of always the same loudness', levels([50, -30], [50, -32])],
  ['noise that is too quiet to be speech', levels([50, -90], [50, -65])],
  ['a video without frames', levels()],
])('%s tells nothing', (_, loudness) => {
  expect(speechIn(loudness, RATE)).toBeNull();
});
