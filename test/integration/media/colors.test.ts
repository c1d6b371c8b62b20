import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { chromaOf } from '../../../src/media/probe/stream-info.ts';
import { ffmpeg } from '../../helpers/clips.ts';
import { passThrough } from '../../helpers/media-steps.ts';
import { meanDifference } from '../../helpers/images.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

/** Colours of a clip, and the pixel format for comparing source and output if it is not that of the clip. */
interface Family {
  readonly pixels: string;
  readonly matrix?: string;
  readonly range?: 'tv' | 'pc';
  readonly transfer?: string;
  readonly comparedIn?: string;
}

const FAMILIES: Readonly<Record<string, Family>> = {
  'BT.601, limited': { pixels: 'yuv420p', matrix: 'smpte170m', range: 'tv' },
  'BT.601, full': { pixels: 'yuv420p', matrix: 'smpte170m', range: 'pc' },
  'BT.470 BG, limited': { pixels: 'yuv420p', matrix: 'bt470bg', range: 'tv' },
  'BT.709, limited': { pixels: 'yuv420p', matrix: 'bt709', range: 'tv' },
  'BT.709, full': { pixels: 'yuv420p', matrix: 'bt709', range: 'pc' },
  'BT.2020, limited': { pixels: 'yuv420p', matrix: 'bt2020nc', range: 'tv' },
  'BT.2020, full': { pixels: 'yuv420p', matrix: 'bt2020nc', range: 'pc' },
  'SMPTE 240M': { pixels: 'yuv420p', matrix: 'smpte240m', range: 'tv' },
  'not named': { pixels: 'yuv420p' },
  'BT.709, 10 bit': { pixels: 'yuv420p10le', matrix: 'bt709', range: 'tv' },
  'BT.709, 10 bit, full': { pixels: 'yuv420p10le', matrix: 'bt709', range: 'pc' },
  'PQ, 10 bit': { pixels: 'yuv420p10le', matrix: 'bt2020nc', range: 'tv', transfer: 'smpte2084' },
  'HLG, 10 bit': { pixels: 'yuv420p10le', matrix: 'bt2020nc', range: 'tv', transfer: 'arib-std-b67' },
  '4:2:2': { pixels: 'yuv422p', matrix: 'bt709', range: 'tv', comparedIn: 'yuv420p' },
  '4:4:4': { pixels: 'yuv444p', matrix: 'bt709', range: 'tv', comparedIn: 'yuv420p' },
  '4:1:1': { pixels: 'yuv411p', matrix: 'smpte170m', range: 'tv', comparedIn: 'yuv420p' },
  '4:2:2, 10 bit': { pixels: 'yuv422p10le', matrix: 'bt709', range: 'tv', comparedIn: 'yuv420p10le' },
  '4:4:4, 10 bit': { pixels: 'yuv444p10le', matrix: 'bt2020nc', range: 'tv', comparedIn: 'yuv420p10le' },
  '4:4:4, 12 bit': { pixels: 'yuv444p12le', matrix: 'bt709', range: 'tv', comparedIn: 'yuv420p10le' },
  grey: { pixels: 'gray', range: 'tv' },
  'grey, full': { pixels: 'gray', range: 'pc' },
  'grey, 10 bit': { pixels: 'gray10le' },
  RGB: { pixels: 'gbrp' },
};
const [WIDTH, HEIGHT, FRAMES] = [64, 48, 4];
const EXACT = 'sws_flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact';

/** Names of colour matrices that differ in swscale. */
const SWSCALE: Readonly<Record<string, string>> = { bt2020nc: 'bt2020', bt470bg: 'bt470' };

function makeLossless(path: string, { pixels, matrix, range, transfer }: Family): void {
  // Moving gradients between saturated colours, so that every plane covers most of its range.
  const colors = ['red', 'lime', 'blue', 'white', 'black'].map((name, i) => `c${i}=${name}`).join(':');
  const image = `gradients=size=${WIDTH}x${HEIGHT}:rate=25:x0=0:y0=0:x1=63:y1=47:nb_colors=5:speed=0.05:${colors}`;
  ffmpeg(
    ...['-f', 'lavfi', '-i', image, '-frames:v', String(FRAMES)],
    ...(pixels === 'gbrp'
      ? []
      : [
          '-vf',
          `scale=${EXACT}:out_color_matrix=${SWSCALE[matrix ?? ''] ?? matrix ?? 'smpte170m'}:out_range=${range ?? 'tv'}`,
        ]),
    ...['-pix_fmt', pixels, '-c:v', 'ffv1'],
    ...(matrix === undefined ? [] : ['-colorspace', matrix]),
    ...(range === undefined ? [] : ['-color_range', range]),
    ...(transfer === undefined ? [] : ['-color_trc', transfer, '-color_primaries', 'bt2020']),
    path,
  );
}

/**
 * Ranges and positions of chroma samples for a conversion from 4:2:0 to RGB, or to 4:2:0. The default position of swscale
 * is the middle of a block.
 */
function conversion(pixels: string, as: string): string {
  if (as === 'gbrp') return pixels === 'gbrp' ? '' : ':in_h_chr_pos=0:in_v_chr_pos=128';
  const input = /422|411/.test(pixels) ? ':in_h_chr_pos=0' : '';
  return `:in_range=tv:out_range=tv${input}:out_h_chr_pos=0:out_v_chr_pos=128`;
}

/** Samples of all frames as decoded by ffmpeg, optionally converted to another format; for grey only the first plane. */
function samples(path: string, { pixels }: Family, as?: string): number[] {
  const filter =
    as === undefined
      ? []
      : // With equal ranges, `scale` does not convert between full and limited range. RGB needs the range of the file.
        ['-vf', `scale=${EXACT}${conversion(pixels, as)},format=${as}`];
  const bytes = execFileSync('ffmpeg', ['-v', 'error', '-i', path, ...filter, '-f', 'rawvideo', '-']);
  const all = /1[02]le$/.test(pixels)
    ? Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readUInt16LE(2 * i))
    : [...bytes];
  if (!pixels.startsWith('gray')) return all;
  const frame = all.length / FRAMES;
  return all.filter((_, i) => i % frame < WIDTH * HEIGHT);
}

/** One family of each kind; `npm run test:all` also tests the others. */
const QUICK = ['BT.709, limited', 'BT.709, 10 bit', 'PQ, 10 bit', '4:2:2', '4:4:4, 10 bit', 'grey', 'RGB'];
const isQuick = ([name]: readonly [string, Family]): boolean => QUICK.includes(name);
const families: readonly (readonly [string, Family])[] = Object.entries(FAMILIES);

test.each(families.filter(isQuick))('colours change by less than one level on average: %s', keepsColours);
test.each(families.filter((family) => !isQuick(family)))(
  'colours change by less than one level on average: %s',
  { tags: ['slow'] },
  keepsColours,
);

async function keepsColours(_: string, family: Family): Promise<void> {
  const folder = temporaryFolder();
  const path = join(folder, 'a.mkv');
  makeLossless(path, family);
  const { outputPath } = await passThrough(path, folder);
  const rgb = family.pixels === 'gbrp' ? 'gbrp' : undefined;
  const before = samples(path, family, family.comparedIn ?? rgb);
  const after = samples(outputPath, rgb === undefined ? family : { pixels: 'yuv420p' }, rgb);
  const difference = meanDifference(before, after);
  console.log(`mean difference ${difference.toFixed(3)}`);
  expect(difference).toBeLessThan(1);
}

test.each([
  ['yuv422p', '422', 'libx264'],
  ['yuv444p', '444', 'libx264'],
  ['yuv422p10le', '422', 'libx265'],
  ['yuv444p10le', '444', 'libx264'],
] as const)(
  'chroma subsampling is kept if configured: %s',
  { tags: ['slow'] },
  async (pixels, chroma, encoder) => {
    const folder = temporaryFolder();
    const path = join(folder, 'a.mkv');
    const family: Family = { pixels, matrix: 'bt709', range: 'tv' };
    makeLossless(path, family);
    expect(chromaOf(pixels)).toBe(chroma);
    const { outputPath, result } = await passThrough(path, folder, encoder, chroma);
    expect(result.video.pixelFormat).toBe(pixels);
    // libx265 loses more at any quality.
    const level = encoder === 'libx265' ? 4 : 1;
    expect(meanDifference(samples(path, family), samples(outputPath, family))).toBeLessThan(level);
  },
);
