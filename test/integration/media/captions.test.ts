import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { muxOutput } from '../../../src/media/join/mux.ts';
import { verifyOutput } from '../../../src/media/verify/verify-output.ts';
import { captionData, captionText, makeCaptionedClip } from '../../helpers/captions.ts';
import { makeClip } from '../../helpers/clips.ts';
import { openMedia, passThrough } from '../../helpers/media-steps.ts';
import { sharedMedia, whyNoSharedMedia } from '../../helpers/shared-media.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const TEXTS = ['HELLO ', 'GOODBYE!'];

describe('closed captions reach the result with their frames', () => {
  for (const [codec, name, encoder, tags] of [
    ['h264', 'a.ts', 'libx264', []],
    ['h264', 'a.mp4', 'libx265', ['slow']],
    ['hevc', 'a.mov', 'libx264', ['slow']],
    ['hevc', 'a.mkv', 'libx265', ['slow']],
    ['mpeg2video', 'a.m2t', 'libx264', ['slow']],
  ] as const)
    test(`${codec} in ${name}, encoded with ${encoder}`, { tags: [...tags] }, async () => {
      const folder = temporaryFolder();
      const clip = makeCaptionedClip(join(folder, name), { codec, texts: TEXTS });
      const { outputPath, opened } = await passThrough(clip, folder, encoder);
      const numbers = opened.index.captions?.ofFrame ?? [];
      expect(numbers.filter((number) => number > 0)).toHaveLength(90);
      expect(captionText(outputPath)).toContain('HELLO');
      expect(captionText(outputPath)).toContain('GOODBYE!');
      expect(captionText(outputPath)).toBe(captionText(clip));
      expect(captionData(outputPath)).toEqual(captionData(clip));
    });

  test.skipIf(whyNoSharedMedia !== null)('cc.ts of the shared media', async () => {
    const clip = sharedMedia('everyday/cc.ts');
    const { outputPath } = await passThrough(clip, temporaryFolder());
    expect(captionText(outputPath)).toContain('HELLO');
    expect(captionText(outputPath)).toBe(captionText(clip));
    expect(captionData(outputPath)).toEqual(captionData(clip));
  });
});

test('a finished file without the captions of its source fails the verification', async () => {
  const folder = temporaryFolder();
  const clip = makeCaptionedClip(join(folder, 'a.mp4'), { codec: 'h264', texts: TEXTS });
  const { opened, segmentPaths, expected } = await passThrough(clip, folder);
  const bare = { ...expected, segmentPaths, codec: 'h264' as const, encoderCount: 1, captions: null };
  const outputPath = join(folder, 'bare.mp4');
  await muxOutput({ ...bare, source: opened.media, outputPath });
  await expect(verifyOutput(outputPath, expected)).rejects.toThrow(
    'bare.mp4 has different captions from the source at frame 0',
  );
});

test('a video without captions has none in its index', async () => {
  const { index } = await openMedia(makeClip(join(temporaryFolder(), 'a.mp4'), { frames: 10 }));
  expect(index.captions).toBeNull();
});
