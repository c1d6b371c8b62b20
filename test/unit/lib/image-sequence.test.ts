import { expect, test } from 'vitest';
import { sortSequence } from '../../../src/lib/image-sequence.ts';

test('images are sorted by their numbers, from any first number and with or without leading zeros', () => {
  const faultless = (...names: string[]) => {
    const shuffled = [...names].reverse();
    expect(sortSequence(shuffled)).toEqual({ names, fault: null });
  };
  faultless('0001.png');
  faultless('shot 7_98.png', 'shot 7_99.png', 'shot 7_100.png');
  faultless('IMG_0009.JPG', 'IMG_0010.JPG');
});

test.each<[readonly string[], RegExp]>([
  [[], /^contains no images$/],
  [['1.png', '2.png', '5.png'], /^has a gap: 2 images missing between 2\.png and 5\.png$/],
  [['1.png', '3.png'], /^has a gap: 1 image missing between 1\.png and 3\.png$/],
  [['1.png', '01.png'], /^contains 01\.png and 1\.png, which have the same number$/],
  [['1.png', 'notes.txt'], /^contains notes\.txt, whose name does not end with a number; /],
  [
    ['a1.png', 'b2.png'],
    /^contains a1\.png and b2\.png; the names of a sequence differ in their numbers only$/,
  ],
  [['1.png', '2.jpg'], /^contains 1\.png and 2\.jpg; /],
])('%j is no sequence', (names, fault) => {
  expect(sortSequence(names).fault).toMatch(fault);
});
