import { expect, test } from 'vitest';
import { seededRandom } from '../../../../../src/lib/seeded-random.ts';
import { detectCut, type CutState } from '../../../../../src/pipelines/dual-face/camera/cut-detector.ts';

const format = { width: 64, height: 36, pixelFormat: 'rgb24' } as const;

/** A smooth image that differs between shots; `shift` pans it. */
function image(shot: number, shift = 0, noise: () => number = () => 0): Buffer {
  const pixels = Buffer.alloc(64 * 36 * 3);
  for (let y = 0; y < 36; y++) {
    for (let x = 0; x < 64; x++) {
      const level = 128 + 100 * Math.sin((x + shift) / 9 + shot * 2) * Math.cos(y / 7 + shot);
      pixels.fill(level + noise(), (y * 64 + x) * 3, (y * 64 + x) * 3 + 3);
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

test('two consecutive cuts are both detected; a fade is not a cut', () => {
  expect(cutsAmong([0, 0, 1, 2, 2].map((shot) => image(shot)))).toEqual([2, 3]);
  const fade = Array.from({ length: 30 }, (_, i) => {
    const [from, to] = [image(0), image(1)];
    return from.map((level, at) => level + ((to[at] ?? 0) - level) * (i / 29)) as Buffer;
  });
  expect(cutsAmong(fade)).toEqual([]);
});

test('16-bit frames give the same result as 8-bit ones', () => {
  const deep = (pixels: Buffer): Uint16Array => Uint16Array.from(pixels, (level) => level * 256);
  const first = detectCut(null, deep(image(0)), format).state;
  expect(detectCut(first, deep(image(1)), format).isCut).toBe(true);
  expect(first.cells).toEqual(detectCut(null, image(0), format).state.cells);
});
