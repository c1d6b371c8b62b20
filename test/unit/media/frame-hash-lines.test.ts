import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { readFrameHashes, type HashedFrame } from '../../../src/media/index/frame-hash-lines.ts';

const OUTPUT = `#format: frame checksums
#version: 2
#hash: murmur3
#tb 0: 1001/30000
#stream#, dts,        pts, duration,     size, hash
0,          0,          1,        1,     4608, 0000000af00dfeed
0,          1,          3,        2,     4608, ffffffff00000000
`;

test('frames are read with their time base, and header lines are skipped', async () => {
  // Split inside a line, as a pipe may do.
  const output = Readable.from([OUTPUT.slice(0, 150), OUTPUT.slice(150)].map((text) => Buffer.from(text)));
  const frames: HashedFrame[] = [];
  for await (const frame of readFrameHashes(output)) frames.push(frame);
  const timeBase = { num: 1001, den: 30_000 };
  expect(frames).toEqual([
    { timeBase, pts: 1, duration: 1, hash: 10 },
    { timeBase, pts: 3, duration: 2, hash: 0xffffffff },
  ]);
});
