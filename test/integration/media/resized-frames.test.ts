import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isDeep, type FrameFormat, type YuvFormat } from '../../../src/domain/media-info.ts';
import { ffmpeg } from '../../helpers/clips.ts';
import { openMedia, pixelsFrom } from '../../helpers/media-steps.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

/*
 * Frames that the decoder delivers as YUV of the final size. zimg (the zscale filter), which Framekiln does not use, is the
 * reference.
 */

interface Source {
  readonly pixels: string;
  readonly encoder: string;
  readonly to: YuvFormat;
  /** Filters after the test image, before it is encoded. */
  readonly filters?: string;
  /** Counterclockwise, in degrees. */
  readonly rotation?: 90 | 270;
  /** Options of zscale for the colours of the result. Default: those of the source. */
  readonly colors?: string;
  /** Filters that Framekiln applies before it resizes. */
  readonly prepared?: string;
}

const X264 = '-c:v libx264 -preset ultrafast -crf 0';
const FFV1 = '-c:v ffv1';
const BT601 = 'matrix=170m:range=limited';
const GREY = 'matrixin=170m:matrix=170m:range=full';

const QUICK: Record<string, Source> = {
  'h264.mp4': { pixels: 'yuv420p', encoder: X264, to: 'yuv420p' },
  'mjpeg.mov': { pixels: 'yuvj420p', encoder: '-c:v mjpeg -q:v 2', to: 'yuv420p' },
  'turned.mp4': { pixels: 'yuv420p', encoder: X264, to: 'yuv420p', rotation: 90 },
  'ten-bits.mkv': {
    pixels: 'yuv420p10le',
    encoder: `${X264} -chroma_sample_location topleft`,
    to: 'yuv420p10le',
  },
};

const RARE: Record<string, Source> = {
  'turned-back.mp4': { pixels: 'yuv420p', encoder: X264, to: 'yuv420p', rotation: 270 },
  'center.mp4': { pixels: 'yuv420p', encoder: `${X264} -chroma_sample_location center`, to: 'yuv420p' },
  '422.mkv': { pixels: 'yuv422p10le', encoder: X264, to: 'yuv422p10le' },
  '444.mkv': { pixels: 'yuv444p', encoder: X264, to: 'yuv444p' },
  '444-to-420.mkv': { pixels: 'yuv444p', encoder: X264, to: 'yuv420p' },
  'grey.mkv': { pixels: 'gray', encoder: FFV1, to: 'yuv420p', colors: GREY },
  'grey-deep.mkv': { pixels: 'gray10le', encoder: FFV1, to: 'yuv420p10le', colors: GREY },
  'rgb.mkv': { pixels: 'bgr0', encoder: FFV1, to: 'yuv420p', colors: BT601 },
  'alpha.mov': { pixels: 'argb', encoder: '-c:v qtrle', to: 'yuv420p', colors: BT601 },
  'palette.gif': {
    pixels: 'bgr8',
    encoder: '-c:v gif',
    to: 'yuv420p',
    colors: BT601,
    prepared: 'format=gbrp',
  },
  'interlaced.mkv': {
    ...{ pixels: 'yuv420p', encoder: `${X264} -flags +ilme+ildct -x264-params tff=1`, to: 'yuv420p' },
    filters: 'scroll=h=0.05,tinterlace=interleave_top',
    prepared: 'bwdif=mode=send_frame:parity=tff:deint=all',
  },
  'uneven-times.mkv': {
    ...{ pixels: 'yuv420p', encoder: X264, to: 'yuv420p' },
    filters: 'select=not(mod(n\\,3)*mod(n\\,5))',
  },
};

/** In the worst plane of the worst frame; with chroma samples half a pixel off it is 37 to 44 dB. */
const ALIKE_DB = 45;

test.each(Object.entries(QUICK))('frames are resized as zimg resizes them: %s', matchesZimg);
test.each(Object.entries(RARE))(
  'frames are resized as zimg resizes them: %s',
  { tags: ['slow'] },
  matchesZimg,
);

async function matchesZimg(name: string, source: Source): Promise<void> {
  const path = makeSource(join(temporaryFolder(), name), source);
  const opened = await openMedia(path);
  const count = opened.index.pts.length;
  // Neither a multiple of the size nor of its aspect ratio, and larger one way than the other.
  const format: FrameFormat = { width: 266, height: 210, pixelFormat: source.to };
  const notes: string[] = [];
  const frames = await pixelsFrom({ ...opened, format }, 0, count, notes);
  const tail = await pixelsFrom({ ...opened, format }, count - 2, 2, notes);
  expect(notes).toEqual([]);
  expect(tail).toEqual(frames.slice(-2));
  const expected = zimgFrames(path, source, format);
  expect(expected).toHaveLength(count);
  const worst = frames.map((frame, i) => worstPsnr(frame, expected[i] ?? Buffer.alloc(0), format));
  expect(Math.min(...worst)).toBeGreaterThan(ALIKE_DB);
}

function makeSource(path: string, { pixels, encoder, filters, rotation }: Source): string {
  const image = 'testsrc2=size=168x124:rate=25,gblur=sigma=2,hue=s=0.7';
  const all = filters === undefined ? image : `${image},${filters}`;
  const plain = rotation === undefined ? path : `${path}.plain.mp4`;
  ffmpeg(
    ...['-f', 'lavfi', '-i', all, '-frames:v', '12', '-fps_mode', 'passthrough', '-pix_fmt', pixels],
    ...encoder.split(' '),
    plain,
  );
  if (rotation !== undefined)
    ffmpeg('-i', plain, '-c', 'copy', '-metadata:s:v:0', `rotate=${rotation}`, path);
  return path;
}

/** The same frames by zimg, which turns them where no chroma samples are shared. */
function zimgFrames(path: string, { rotation, colors, prepared }: Source, format: FrameFormat): Buffer[] {
  const { width, height, pixelFormat } = format;
  const location = path.includes('ten-bits') ? 'topleft' : 'left';
  const turned =
    rotation === undefined
      ? []
      : ['zscale=filter=lanczos,format=yuv444p', `transpose=${rotation === 90 ? 'cclock' : 'clock'}`];
  const filters = [
    ...(prepared === undefined ? [] : [prepared]),
    ...turned,
    `zscale=w=${width}:h=${height}:filter=lanczos:chromal=${location}${colors === undefined ? '' : `:${colors}`}`,
    `format=${pixelFormat}`,
  ];
  const raw = execFileSync(
    'ffmpeg',
    [
      ...['-v', 'error', '-noautorotate', '-i', path, '-vf', filters.join(',')],
      ...['-fps_mode', 'passthrough', '-f', 'rawvideo', '-'],
    ],
    { maxBuffer: 1 << 28 },
  );
  const bytes = planes(raw, format).reduce((sum, plane) => sum + plane.length, 0);
  return Array.from({ length: raw.length / bytes }, (_, i) => raw.subarray(i * bytes, (i + 1) * bytes));
}

function planes(frame: Buffer, { width, height, pixelFormat }: FrameFormat): Buffer[] {
  const luma = width * height * (isDeep(pixelFormat) ? 2 : 1);
  const chroma = luma / (pixelFormat.includes('420') ? 4 : pixelFormat.includes('422') ? 2 : 1);
  return [
    frame.subarray(0, luma),
    frame.subarray(luma, luma + chroma),
    frame.subarray(luma + chroma, luma + 2 * chroma),
  ];
}

/** PSNR of the worst of the three planes, in dB. */
function worstPsnr(a: Buffer, b: Buffer, format: FrameFormat): number {
  const others = planes(b, format);
  return Math.min(...planes(a, format).map((plane, i) => psnr(plane, others[i] ?? Buffer.alloc(0), format)));
}

function psnr(a: Buffer, b: Buffer, { pixelFormat }: FrameFormat): number {
  const step = isDeep(pixelFormat) ? 2 : 1;
  const at = (plane: Buffer, i: number): number =>
    step === 2 ? plane.readUInt16LE(i) / 4 : plane.readUInt8(i);
  let sum = 0;
  for (let i = 0; i < a.length; i += step) sum += (at(a, i) - at(b, i)) ** 2;
  return 10 * Math.log10((255 * 255 * (a.length / step)) / sum);
}

test.for([
  ['tv', 16, 235],
  ['pc', 0, 255],
] as const)('a frame of another aspect ratio gets black bars in %s range', async ([range, black, white]) => {
  const folder = temporaryFolder();
  const parts = ['64x48', '128x96', '128x48'].map((size) => {
    const part = join(folder, `${size}.264`);
    const pixels = range === 'pc' ? 'yuvj420p' : 'yuv420p';
    ffmpeg(
      ...['-f', 'lavfi', '-i', `color=white:size=${size}:rate=25`, '-frames:v', '10', '-bf', '0'],
      ...['-vf', `scale=out_range=${range},format=${pixels}`, part],
    );
    return part;
  });
  const path = join(folder, 'changing.264');
  writeFileSync(path, Buffer.concat(parts.map((part) => readFileSync(part))));
  const opened = await openMedia(path);
  const format: FrameFormat = { width: 128, height: 96, pixelFormat: 'yuv420p' };
  const frames = await pixelsFrom({ ...opened, format }, 0, 30);
  const lumaAt = (frame: number, y: number) => frames[frame]?.[y * 128 + 64];
  for (const frame of [5, 15]) expect([lumaAt(frame, 2), lumaAt(frame, 48)]).toEqual([white, white]);
  expect([lumaAt(25, 2), lumaAt(25, 48)]).toEqual([black, white]);
});

test(
  'a frame may be larger than what ffmpeg may allocate for the source',
  { tags: ['slow'], timeout: 120_000 },
  async () => {
    const path = join(temporaryFolder(), 'wide.mp4');
    ffmpeg('-f', 'lavfi', '-i', 'color=gray:size=160x90:rate=25', '-frames:v', '1', path);
    const opened = await openMedia(path);
    // 579 MB; the limit for sources of up to 36 megapixels is 576 MB.
    const format: FrameFormat = { width: 16_000, height: 12_064, pixelFormat: 'yuv444p' };
    const [frame] = await pixelsFrom({ ...opened, format }, 0, 1);
    expect(frame?.at(-1)).toBe(128);
  },
);
