import { expect, test } from 'vitest';
import { LoudnessMeter } from '../../../src/media/loudness/loudness-meter.ts';

const RATE = 8000;

/** A square wave of a level, and silence after it. */
function samples(level: number, seconds: number, silentSeconds: number): Buffer {
  const count = seconds * RATE;
  const bytes = Buffer.alloc((count + silentSeconds * RATE) * 2);
  for (let i = 0; i < count; i++) bytes.writeInt16LE(i % 2 === 0 ? level : -level, i * 2);
  return bytes;
}

test.each([16, 7, 1])('measures the loudness between two times, in pieces of %i bytes', (size) => {
  const bytes = samples(2 ** 14, 0.5, 0.5);
  const meter = new LoudnessMeter(RATE);
  for (let at = 0; at < bytes.length; at += size) meter.add(bytes.subarray(at, at + size));
  expect(meter.between(0.1, 0.14)).toBeCloseTo(-6.02, 1);
  expect(meter.between(0.48, 0.52)).toBeCloseTo(-9.03, 1);
  expect(meter.between(0.6, 0.64)).toBe(-Infinity);
});

test('a frame that is shown for less than a block has the loudness of the block; before and after the audio there is none', () => {
  const meter = new LoudnessMeter(RATE);
  meter.add(samples(2 ** 14, 1, 0));
  expect(meter.between(0.5, 0.501)).toBeCloseTo(-6.02, 1);
  expect(meter.between(-1, -0.96)).toBe(-Infinity);
  expect(meter.between(2, 2.04)).toBe(-Infinity);
});
