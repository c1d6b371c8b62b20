import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { VerificationError } from '../../../src/domain/errors.ts';
import { DEFAULT_RECIPE } from '../../../src/config/recipe-presets.ts';
import { assertUnchanged } from '../../../src/job/prepare/assert-unchanged.ts';
import { sha256File } from '../../../src/lib/sha256-file.ts';
import { FrameDecoder, frameBuffer } from '../../../src/media/decode/decoder.ts';
import { makeClip } from '../../helpers/clips.ts';
import { decoderAt, openMedia, type Opened } from '../../helpers/media-steps.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

async function read(opened: Opened, from: number, count: number, notes: string[] = []): Promise<string[]> {
  const decoder = decoderAt(opened, from, notes);
  const frame = frameBuffer(opened.format);
  const frames: string[] = [];
  for (let i = 0; i < count; i++) {
    await decoder.read(frame);
    frames.push(frame.toString('latin1'));
  }
  await decoder.close();
  return frames;
}

// Kinds of files for which other programs lose frames when they seek.
test.each([
  ['MP4 with B-frames', 'a.mp4', {}],
  [
    'variable frame rate',
    'a.mkv',
    { filter: "setpts='N*40+mod(N\\,7)*11+if(gt(N\\,30)\\,900\\,0)',settb=1/1000" },
  ],
  ['MPEG-TS', 'a.ts', {}],
  ['open GOP', 'a.mp4', { encoder: ['-c:v', 'libx264', '-x264-params', 'open-gop=1:keyint=10:bframes=3'] }],
  ['MPEG-4 in AVI', 'a.avi', { audio: false, encoder: ['-c:v', 'mpeg4', '-g', '12', '-bf', '2'] }],
  ['an elementary stream', 'a.264', { audio: false }],
])('starts at exactly the requested frame: %s', async (_, name, request) => {
  const opened = await openMedia(makeClip(join(temporaryFolder(), name), { frames: 60, ...request }));
  const total = opened.index.pts.length;
  expect(total).toBe(60);
  const all = await read(opened, 0, total);
  expect(new Set(all).size).toBeGreaterThan(40); // Some frames of the test pattern are equal.
  for (const from of [1, 11, 12, 13, 31, 59]) {
    const notes: string[] = [];
    expect(await read(opened, from, Math.min(3, total - from), notes)).toEqual(all.slice(from, from + 3));
    expect(notes).toEqual([]);
  }
});

test('a file that does not match its index is rejected', async () => {
  const folder = temporaryFolder();
  const indexed = await openMedia(makeClip(join(folder, 'a.mp4')));
  const other = await openMedia(makeClip(join(folder, 'b.mp4'), { filter: 'setpts=PTS*2' }));
  await expect(read({ ...other, index: indexed.index }, 0, 10)).rejects.toThrow(VerificationError);
});

test('a file that decodes to different images at the right times is used, with a warning', async () => {
  const folder = temporaryFolder();
  const indexed = await openMedia(makeClip(join(folder, 'a.mp4')));
  const other = await openMedia(makeClip(join(folder, 'b.mp4'), { filter: 'negate' }));
  const notes: string[] = [];
  expect(await read({ ...other, index: indexed.index }, 20, 2, notes)).toHaveLength(2);
  expect(notes.join()).toMatch(
    /^b\.mp4 does not decode as it did when it was indexed: the image of frame 20 does not match the index; decoding it again and checking only timestamps from frame 20 on$/,
  );
});

test('an ffmpeg that fails is named as the cause, not the file', async () => {
  const folder = temporaryFolder();
  const opened = await openMedia(makeClip(join(folder, 'a.mp4')));
  const real = execFileSync('sh', ['-c', 'command -v ffmpeg'], { encoding: 'utf8' }).trim();
  const fake = `#!/bin/sh\ncase "$*" in *rawvideo*) echo 'Cannot allocate memory' >&2; exit 3;; esac\nexec ${real} "$@"\n`;
  writeFileSync(join(folder, 'ffmpeg'), fake, { mode: 0o755 });
  vi.stubEnv('PATH', `${folder}${delimiter}${process.env['PATH'] ?? ''}`);
  await expect(read(opened, 0, 1)).rejects.toThrow(
    'a.mp4 no longer decodes to the frames in its index: at frame 0, ffmpeg failed (exit code 3) while decoding a.mp4: Cannot allocate memory.',
  );
});

test(
  'skipped frames count as progress: reaching the first wanted frame may take longer than the stall timeout',
  { tags: ['slow'] },
  async () => {
    // An elementary stream cannot be seeked. It is read in real time, like a long file on a slow machine.
    const folder = temporaryFolder();
    const opened = await openMedia(makeClip(join(folder, 'clip.h264'), { frames: 100, audio: false }));
    const [last] = (await read(opened, 95, 1)).slice(-1);
    const real = execFileSync('sh', ['-c', 'command -v ffmpeg'], { encoding: 'utf8' }).trim();
    writeFileSync(join(folder, 'ffmpeg'), `#!/bin/sh\nexec ${real} -re "$@"\n`, { mode: 0o755 });
    vi.stubEnv('PATH', `${folder}${delimiter}${process.env['PATH'] ?? ''}`);
    const { media, index, format } = opened;
    const decoder = new FrameDecoder(media, index, 95, { format, maxPixels: 1e6, stallMs: 1_500 });
    const frame = frameBuffer(format);
    const from = performance.now();
    await decoder.read(frame);
    await decoder.close();
    expect(performance.now() - from).toBeGreaterThan(2 * 1_500);
    expect(frame.toString('latin1') === last).toBe(true);
  },
);

test('a source that was replaced in mid-work is reported as that, before its frames are blamed', async () => {
  const path = makeClip(join(temporaryFolder(), 'a.mkv'), { frames: 60, audio: false });
  const opened = await openMedia(path);
  const fingerprint = await sha256File(path);
  // As long, with the same timestamps, but other images.
  makeClip(path, { frames: 60, audio: false, filter: 'negate' });
  const notes: string[] = [];
  const { signal } = new AbortController();
  const decoder = new FrameDecoder(opened.media, opened.index, 30, {
    format: opened.format,
    maxPixels: 1e6,
    onNote: (sentence) => notes.push(sentence),
    assertSource: () => assertUnchanged({ sourcePath: path, fingerprint, recipe: DEFAULT_RECIPE }, signal),
  });
  await expect(decoder.read(frameBuffer(opened.format))).rejects.toMatchObject({
    code: 'SOURCE_CHANGED',
    message: 'a.mkv was changed or replaced after it was queued.',
  });
  expect(notes).toEqual([]);
  await decoder.close();
});
