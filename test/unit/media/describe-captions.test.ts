import { expect, test } from 'vitest';
import { CaptionCollector } from '../../../src/media/captions/captions.ts';
import { describeCaptions } from '../../../src/media/captions/describe-captions.ts';

const PADDING = [0xfc, 0x80, 0x80, 0xfd, 0x80, 0x80, 0xfa, 0, 0];
const LETTERS = [0xfc, 0xc8, 0x45, 0xfd, 0x80, 0x80];
const PACKET = [0xff, 0x02, 0x21, 0xfe, 0x41, 0x42];

/** @param frames bytes of each frame; none where it has no captions */
function described(...frames: readonly (readonly number[])[]): string[] {
  const collector = new CaptionCollector();
  for (const bytes of frames) collector.add(Buffer.from(bytes));
  const pts = frames.map((_, frame) => frame);
  return describeCaptions({ captions: collector.finish(pts, pts) });
}

test('the report states in how many frames there are captions of each standard', () => {
  expect(describeCaptions({ captions: null })).toEqual([]);
  expect(described([], LETTERS, [...LETTERS, ...PACKET], PADDING)).toEqual([
    'closed captions kept: CEA-608 in 2 frames, CEA-708 in 1 frame',
  ]);
  expect(described([...PADDING, ...PACKET])).toEqual(['closed captions kept: CEA-708 in 1 frame']);
});

test('padding is not called captions', () => {
  expect(described([], PADDING)).toEqual(['closed captions kept: all of them empty']);
});
