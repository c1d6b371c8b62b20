import { expect, test } from 'vitest';
import { isRejectedForContent } from '../../../src/domain/second-look.ts';
import type { MediaInfo } from '../../../src/domain/media-info.ts';
import { assertFitsGif } from '../../../src/media/gif/gif-limits.ts';

function errorFor({ transfer = 'bt709', width = 64, msPerFrame = 40 }): unknown {
  const video = { color: { transfer } } as MediaInfo['video'];
  const timing = { timescale: 1000, pts: Float64Array.of(0, msPerFrame), lastDuration: msPerFrame };
  try {
    assertFitsGif({ path: '/input/clip.mp4', video }, timing, { width, height: 48, pixelFormat: 'rgb24' });
    return null;
  } catch (error) {
    return error;
  }
}

test.each([{ transfer: 'smpte2084' }, { width: 70_000 }, { msPerFrame: 10 }, { msPerFrame: 700_000 }])(
  'a video that does not fit into a GIF (%j) is not rejected for its content, so it is not quarantined',
  (video) => {
    const error = errorFor(video);
    expect(error).toMatchObject({ code: 'OUTPUT_NOT_ALLOWED' });
    expect(isRejectedForContent(error)).toBe(false);
  },
);

test('another video fits', () => {
  expect(errorFor({})).toBeNull();
});
