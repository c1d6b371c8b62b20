import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { VerificationError } from '../../../src/domain/errors.ts';
import { outputColor } from '../../../src/media/decode/color-conversion.ts';
import { outputTiming } from '../../../src/media/encode/output-timing.ts';
import { planStreams } from '../../../src/media/join/stream-plan.ts';
import { verifyOutput } from '../../../src/media/verify/verify-output.ts';
import { makeClip } from '../../helpers/clips.ts';
import { openMedia } from '../../helpers/media-steps.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

test.each([
  ['is cut off', (path: string) => truncateSync(path, 300)],
  ['is empty', (path: string) => truncateSync(path, 0)],
  ['is no video', (path: string) => writeFileSync(path, 'not a video')],
])('a finished file that %s is a failed verification, never a fault of the source', async (_, damage) => {
  const folder = temporaryFolder();
  const { media, index } = await openMedia(makeClip(join(folder, 'clip.mp4'), { frames: 10 }));
  const result = makeClip(join(folder, 'result.mp4'), { frames: 10 });
  damage(result);
  const { width, height, sampleAspectRatio } = media.video;
  const expected = {
    format: { width, height, pixelFormat: 'rgb24' as const },
    chroma: '420' as const,
    timing: outputTiming(index, media),
    color: outputColor(media.video),
    sampleAspectRatio,
    plan: planStreams(media),
    captions: null,
    source: media,
  };
  await expect(verifyOutput(result, expected)).rejects.toThrow(VerificationError);
});
