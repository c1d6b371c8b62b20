import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { InputRejectedError } from '../../../src/domain/errors.ts';
import { probeMedia } from '../../../src/media/probe/probe-media.ts';
import { ffmpeg, makeClip } from '../../helpers/clips.ts';
import { LIMITS, openMedia } from '../../helpers/media-steps.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

async function rejection(path: string, limits = LIMITS): Promise<string> {
  const error = await probeMedia(path, limits).then(
    () => null,
    (caught: unknown) => caught as InputRejectedError,
  );
  return error === null ? 'accepted' : `${error.code}: ${error.message}`;
}

test('file names are never treated as an option, a pattern or a protocol', async () => {
  const folder = temporaryFolder();
  const clip = makeClip(join(folder, 'clip.mp4'), { frames: 2 });
  const names = [
    '-x.mp4',
    '%d.mp4',
    'concat:a.mp4',
    'new\nline.mp4',
    `quote'".mp4`,
    'ünï 影片.mp4',
    `${'x'.repeat(251)}.mp4`,
  ];
  let path = clip;
  for (const name of names) {
    const next = join(folder, name);
    renameSync(path, next);
    path = next;
    expect((await openMedia(path)).index.pts.length).toBe(2);
  }
});

test('a playlist under a video name opens no other file', async () => {
  const folder = temporaryFolder();
  makeClip(join(folder, 'secret.mp4'), { frames: 2 });
  writeFileSync(
    join(folder, 'hls.mp4'),
    '#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nsecret.mp4\n#EXT-X-ENDLIST\n',
  );
  writeFileSync(join(folder, 'concat.mp4'), "ffconcat version 1.0\nfile 'secret.mp4'\n");
  expect(await rejection(join(folder, 'hls.mp4'))).toMatch(/^NOT_A_VIDEO: hls\.mp4 /);
  expect(await rejection(join(folder, 'concat.mp4'))).toMatch(/^NOT_A_VIDEO: concat\.mp4 /);
});

test('a file that is not a video is rejected with its name and the reason', async () => {
  const folder = temporaryFolder();
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  expect(await rejection(file('empty.mp4', ''))).toBe('EMPTY_FILE: empty.mp4 is empty.');
  expect(await rejection(file('text.mkv', 'no video '.repeat(500)))).toMatch(
    /^NOT_A_VIDEO: text\.mkv is not a video/,
  );
  ffmpeg('-f', 'lavfi', '-i', 'sine=duration=1', join(folder, 'tone.m4a'));
  expect(await rejection(join(folder, 'tone.m4a'))).toBe(
    'NO_VIDEO_STREAM: tone.m4a has no video stream (streams found: audio).',
  );
  ffmpeg('-f', 'lavfi', '-i', 'sine=duration=1', join(folder, 'tone.mp3'));
  expect(await rejection(join(folder, 'tone.mp3'))).toBe(
    'NOT_A_VIDEO: tone.mp3 is in a format that is not supported (mp3).',
  );
});

test('limits are checked in the header', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'in'));
  const clip = makeClip(join(folder, 'in/clip.mp4'));
  expect(await rejection(clip, { ...LIMITS, inputMegapixels: 0.003 })).toMatch(
    /LIMIT_EXCEEDED: clip\.mp4 is 64x48/,
  );
  expect(await rejection(clip, { ...LIMITS, hours: 0.0001 })).toMatch(
    /LIMIT_EXCEEDED: clip\.mp4 is [\d.]+ hours long according to its header/,
  );
  expect(await rejection(clip)).toBe('accepted');
});

test('size and pixel aspect ratio are those after rotation', async () => {
  const folder = temporaryFolder();
  const upright = makeClip(join(folder, 'a.mp4'), { filter: 'setsar=4/3' });
  const rotated = join(folder, 'b.mp4');
  ffmpeg('-i', upright, '-c', 'copy', '-metadata:s:v:0', 'rotate=90', rotated);
  const { video } = await probeMedia(rotated, LIMITS);
  expect(video).toMatchObject({
    width: 48,
    height: 64,
    sampleAspectRatio: { num: 3, den: 4 },
  });
});
