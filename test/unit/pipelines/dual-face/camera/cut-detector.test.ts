import { expect, test } from 'vitest';
import { seededRandom } from '../../../../../src/lib/seeded-random.ts';
import { detectCut, type CutState } from '../../../../../src/pipelines/dual-face/camera/cut-detector.ts';

const format = { width: 64, height: 36, pixelFormat: 'rgb24' } as const;

/** A smooth image that differs between shots; `shift` pans it, and `gain` makes it darker. */
function image(shot: number, shift = 0, noise: () => number = () => 0, gain = 1): Buffer {
  const pixels = Buffer.alloc(64 * 36 * 3);
  for (let y = 0; y < 36; y++) {
    for (let x = 0; x < 64; x++) {
      const level = 128 + 100 * Math.sin((x + shift) / 9 + shot * 2) * Math.cos(y / 7 + shot);
      pixels.fill(gain * level + noise(), (y * 64 + x) * 3, (y * 64 + x) * 3 + 3);
    }
  }
  return pixels;
}

function cutsAmong(frames: readonly Buffer[]): number[] {
  let state: CutState | null = null;
  return frames.flatMap((pixels, i) => {
    const looked = detectCut(state, pixels, format);
    state = looked.state;
    return looked.isCut ? [i] : [];
  });
}

test('a cut is detected at its frame; noise and pans are not cuts', () => {
  const random = seededRandom(1);
  const noise = (): number => (random() - 0.5) * 20;
  const frames = Array.from({ length: 60 }, (_, i) => image(i < 25 ? 0 : 1, i / 2, noise));
  expect(cutsAmong(frames)).toEqual([25]);
});

test('two consecutive cuts are both detected', () => {
  expect(cutsAmong([0, 0, 1, 2, 2].map((shot) => image(shot)))).toEqual([2, 3]);
});

test('the end of a dissolve is a cut', () => {
  const [from, to] = [image(0), image(1)];
  const frames = Array.from({ length: 60 }, (_, i) => {
    const share = Math.min(1, Math.max(0, (i - 15) / 20));
    return from.map((level, at) => level + ((to[at] ?? 0) - level) * share) as Buffer;
  });
  const cuts = cutsAmong(frames);
  expect(cuts).toHaveLength(1);
  expect(Math.abs((cuts[0] ?? 0) - 36)).toBeLessThanOrEqual(2);
});

test('a cut between dark shots is detected, a slow change of the light is not', () => {
  const random = seededRandom(2);
  const noise = (): number => (random() - 0.5) * 2;
  const dark = Array.from({ length: 40 }, (_, i) => image(i < 20 ? 0 : 1, 0, noise, 0.06));
  expect(cutsAmong(dark)).toEqual([20]);
  const dimming = Array.from({ length: 40 }, (_, i) => image(0, 0, noise, 1 - i / 80));
  expect(cutsAmong(dimming)).toEqual([]);
});

test('16-bit frames give the same result as 8-bit ones', () => {
  const deep = (pixels: Buffer): Uint16Array => Uint16Array.from(pixels, (level) => level * 256);
  const first = detectCut(null, deep(image(0)), format).state;
  expect(detectCut(first, deep(image(1)), format).isCut).toBe(true);
  expect(first.cells).toEqual(detectCut(null, image(0), format).state.cells);
});
