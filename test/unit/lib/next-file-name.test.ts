import { basename } from 'node:path';
import { expect, test } from 'vitest';
import { nextFileName } from '../../../src/lib/next-file-name.ts';

test.each([
  ['/out/clip.mp4', '/out/clip (2).mp4'],
  ['/out/clip (2).mp4', '/out/clip (3).mp4'],
  ['/out/clip (9).mp4', '/out/clip (10).mp4'],
  ['/out/film (1999).mkv', '/out/film (1999) (2).mkv'],
  ['/out/film.avi.mkv', '/out/film.avi (2).mkv'],
  ['/out/line\nbreak (2).mp4', '/out/line\nbreak (3).mp4'],
  ['/out/clip', '/out/clip (2)'],
])('the name after %j is %j', (path, next) => {
  expect(nextFileName(path)).toBe(next);
});

test.each(['x'.repeat(251), 'ä'.repeat(125), '😀'.repeat(62)])('the next name of a long one fits', (name) => {
  const next = basename(nextFileName(`/out/${name}.mp4`));
  expect(Buffer.byteLength(next)).toBeLessThanOrEqual(255);
  expect(next).toMatch(/^(x+|ä+|😀+) \(2\)\.mp4$/u);
});
