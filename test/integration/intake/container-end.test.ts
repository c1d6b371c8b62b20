import { closeSync, ftruncateSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { whyUnfinished } from '../../../src/intake/container-end.ts';
import { seededRandom } from '../../../src/lib/seeded-random.ts';
import { ffmpeg, makeClip } from '../../helpers/clips.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const MJPEG = ['-c:v', 'mjpeg'];
const H264 = ['-c:v', 'libx264', '-preset', 'veryfast'];

interface Container {
  readonly name: string;
  readonly encoder?: readonly string[];
}

function make({ name, encoder }: Container): string {
  return makeClip(join(temporaryFolder(), name), { audio: false, ...(encoder && { encoder }) });
}

test.each<Container>([
  { name: 'a.mp4' },
  { name: 'faststart.mp4', encoder: [...H264, '-movflags', '+faststart'] },
  { name: 'fragments.mp4', encoder: [...H264, '-movflags', '+frag_keyframe+empty_moov'] },
  { name: 'a.mov' },
  { name: 'a.mkv' },
  { name: 'a.webm', encoder: ['-c:v', 'libvpx', '-deadline', 'realtime'] },
  { name: 'a.avi', encoder: MJPEG },
  { name: 'a.wmv', encoder: ['-c:v', 'wmv2'] },
  { name: 'a.ogv', encoder: ['-c:v', 'libtheora'] },
  { name: 'a.gif', encoder: ['-c:v', 'gif', '-pix_fmt', 'rgb8'] },
  { name: 'a.apng', encoder: ['-c:v', 'apng', '-pix_fmt', 'rgb24'] },
])('a whole $name is complete, and wherever it is cut off it is not', async (container) => {
  const path = make(container);
  expect(await whyUnfinished(path)).toBeNull();
  const bytes = readFileSync(path);
  const random = seededRandom(12);
  const lengths = [
    bytes.length - 1,
    ...Array.from({ length: 60 }, () => 64 + random() * (bytes.length - 65)),
  ];
  for (const length of lengths.map(Math.floor)) {
    writeFileSync(path, bytes.subarray(0, length));
    expect(await whyUnfinished(path), `${length} of ${bytes.length} bytes`).not.toBeNull();
  }
});

test.each<Container>([
  { name: 'a.ts' },
  { name: 'transport-stream-named.mp4', encoder: [...H264, '-f', 'mpegts'] },
  { name: 'a.mpg', encoder: ['-c:v', 'mpeg2video'] },
  { name: 'a.flv' },
  { name: 'a.y4m', encoder: ['-c:v', 'wrapped_avframe'] },
  { name: 'a.h264' },
  { name: 'live.mkv', encoder: [...H264, '-live', '1'] },
  { name: 'live.mp4', encoder: [...H264, '-movflags', '+frag_keyframe+empty_moov+skip_trailer'] },
])('$name has no end mark', async (container) => {
  expect(await whyUnfinished(make(container))).toMatchObject({ code: 'NO_END_MARK' });
});

test('a file that was allocated at its full size before it is copied is not complete', async () => {
  const path = join(temporaryFolder(), 'a.mp4');
  makeClip(path, { width: 320, height: 240, encoder: [...H264, '-movflags', '+faststart'] });
  const bytes = readFileSync(path);
  const half = Math.floor(bytes.length / 2);
  writeFileSync(path, Buffer.concat([bytes.subarray(0, half), Buffer.alloc(bytes.length - half)]));
  expect(await whyUnfinished(path)).toEqual({
    code: 'CUT_OFF',
    message: 'ends in zeros, like a file with missing parts',
  });
});

test('a sparse file whose end is there and whose middle is not is not complete', async () => {
  const path = join(temporaryFolder(), 'sparse.mkv');
  writeFileSync(path, '');
  const file = openSync(path, 'r+');
  ftruncateSync(file, 10_000_000);
  closeSync(file);
  writeFileSync(path, Buffer.alloc(100_000, 1), { flag: 'a' });
  expect(statSync(path).blocks * 512).toBeLessThan(1_000_000);
  expect(await whyUnfinished(path)).toEqual({
    code: 'CUT_OFF',
    message: 'takes up less disk space than its size, like a file with missing parts',
  });
});

test('the reason for a missing end mark names what the file is, not what its name says', async () => {
  const folder = temporaryFolder();
  const packets = Buffer.alloc(10 * 188, 1);
  for (let at = 0; at < packets.length; at += 188) packets[at] = 0x47;
  for (const [name, bytes, message] of [
    ['a.mp4', packets, 'has no end mark, which is normal for transport streams'],
    ['letter.txt', Buffer.from('Dear all'), 'has no end mark, which is normal for txt files'],
    ['letter', Buffer.from('Dear all'), 'has no end mark'],
    ['a.avi', Buffer.from('RIFF\x04\0\0\0AVI JUNK and more'), 'has other data after its RIFF chunks'],
    ['b.mp4', Buffer.from('\0\0\0\x08ftyp\0\0\0\x03free'), 'has a box of invalid length'],
  ] as const) {
    writeFileSync(join(folder, name), bytes);
    expect(await whyUnfinished(join(folder, name)), name).toEqual({ code: 'NO_END_MARK', message });
  }
});

test('a file that only has the name of a video is left to the probe', async () => {
  const path = join(temporaryFolder(), 'letter.mp4');
  writeFileSync(path, 'This is not a video.');
  expect(await whyUnfinished(path)).toBeNull();
  writeFileSync(path, '');
  expect(await whyUnfinished(path)).toBeNull();
});

test('the recording of a program that is still running has no end mark or no index', async () => {
  const folder = temporaryFolder();
  for (const name of ['a.mkv', 'a.mp4', 'a.avi']) {
    // What a recorder leaves that is killed: its trailer is missing.
    const path = join(folder, name);
    ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=64x48', '-frames:v', '50', '-c:v', 'mpeg4', path);
    const bytes = readFileSync(path);
    if (name === 'a.mkv') bytes.fill(0xff, segmentSizeAt(bytes) + 1, segmentSizeAt(bytes) + 8);
    if (name === 'a.mkv') bytes[segmentSizeAt(bytes)] = 0x01;
    if (name === 'a.avi') bytes.fill(0, 4, 8);
    const end = name === 'a.mp4' ? bytes.indexOf('moov') - 4 : bytes.length;
    writeFileSync(path, bytes.subarray(0, end));
    expect(await whyUnfinished(path), name).not.toBeNull();
  }
});

/** Offset of the size of the Segment in a Matroska file. */
function segmentSizeAt(bytes: Buffer): number {
  return bytes.indexOf(Buffer.from('18538067', 'hex')) + 4;
}
