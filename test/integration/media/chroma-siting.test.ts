import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { probeMedia } from '../../../src/media/probe/probe-media.ts';
import { ffmpeg } from '../../helpers/clips.ts';
import { makeHome, readLog, run } from '../../helpers/framekiln.ts';
import { LIMITS, passThrough } from '../../helpers/media-steps.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

interface Clip {
  readonly location: string;
  readonly pixels: string;
  readonly encoder: readonly string[];
  /** Clockwise, in degrees. */
  readonly rotation?: number;
  /** Location that the output is to have; `left` by default. */
  readonly result?: string;
}

const SIZE = 64;
const X264 = ['-c:v', 'libx264', '-crf', '0', '-preset', 'ultrafast'];
const LEFT: Clip = { location: 'left', pixels: 'yuv420p', encoder: X264 };

function h264(location: string, pixels = 'yuv420p'): Clip {
  return { location, pixels, encoder: [...X264, '-chroma_sample_location', location] };
}

const CLIPS = {
  'left.mp4': LEFT,
  'topleft.mkv': { ...h264('topleft'), result: 'topleft' },
  'mjpeg.avi': { location: 'center', pixels: 'yuvj420p', encoder: ['-c:v', 'mjpeg', '-q:v', '1'] },
  'turned-180.mp4': { ...LEFT, rotation: 180 },
} satisfies Record<string, Clip>;

const RARE_CLIPS = {
  'center.mp4': h264('center'),
  'top.mp4': h264('top'),
  'bottom.mp4': h264('bottom'),
  'bottomleft.mkv': h264('bottomleft'),
  'topleft.mov': { ...h264('topleft'), result: 'topleft' },
  '422.mp4': { ...LEFT, pixels: 'yuv422p' },
  '444.mp4': { ...LEFT, pixels: 'yuv444p' },
  'mpeg2.mpg': { ...LEFT, encoder: ['-c:v', 'mpeg2video', '-q:v', '1'] },
  'turned-90.mp4': { ...LEFT, rotation: 90 },
  'turned-270.mp4': { ...LEFT, rotation: 270 },
  '422-turned-90.mp4': { ...LEFT, pixels: 'yuv422p', rotation: 90 },
  '422-turned-270.mp4': { ...LEFT, pixels: 'yuv422p', rotation: 270 },
  'mjpeg-422-turned-90.mov': {
    ...{ location: 'center', pixels: 'yuvj422p', encoder: ['-c:v', 'mjpeg', '-q:v', '1'] },
    rotation: 90,
  },
} satisfies Record<string, Clip>;

/** The largest accepted shift in pixels of the source, most of it from rounding; a wrong location shifts by 0.5. */
const ACCEPTED = 0.15;

test.each<[string, Clip]>(Object.entries(CLIPS))('edges of colour stay where they are: %s', staysInPlace);
test.each<[string, Clip]>(Object.entries(RARE_CLIPS))(
  'edges of colour stay where they are: %s',
  { tags: ['slow'] },
  staysInPlace,
);

async function staysInPlace(name: string, clip: Clip): Promise<void> {
  const folder = temporaryFolder();
  const path = join(folder, name);
  makeEdges(path, clip);
  const { outputPath } = await passThrough(path, folder);
  await expectInPlace(path, outputPath, 1, clip);
}

test('edges of colour stay where they are at twice the size', { tags: ['slow'] }, async () => {
  const home = makeHome(temporaryFolder());
  const sources = join(temporaryFolder(), 'sources');
  mkdirSync(sources);
  const clips: [string, Clip][] = Object.entries({ ...CLIPS, 'turned-90.mp4': RARE_CLIPS['turned-90.mp4'] });
  for (const [name, clip] of clips) {
    makeEdges(join(sources, name), clip);
    copyFileSync(join(sources, name), join(home, 'input/lanczos-2x', name));
  }
  const once = ['start', '--once', '--home', home, '--set', 'encoder.crf=0'];
  expect(run(once).status, readLog(home)).toBe(0);
  const folder = join(home, 'output/lanczos-2x');
  for (const [name, clip] of clips) {
    const stem = name.replace(/\.\w+$/, '.');
    const output = readdirSync(folder).find((file) => file.startsWith(stem)) ?? name;
    await expectInPlace(join(sources, name), join(folder, output), 2, clip);
  }
});

/** Compares how far the edges of Cb are from those of the luma before and after, where the tag of the output says. */
async function expectInPlace(path: string, outputPath: string, scale: number, clip: Clip): Promise<void> {
  const { video } = await probeMedia(outputPath, LIMITS);
  const was = chromaOffsets(path, SIZE, clip.rotation, clip.location);
  const is = chromaOffsets(outputPath, scale * SIZE, 0, video.color.chromaLocation ?? 'left');
  const shifts = was.map((offset, axis) => (is[axis] ?? NaN) - scale * offset);
  console.log(`shift ${shifts.map((shift) => shift.toFixed(3)).join(', ')} px`);
  for (const shift of shifts) expect(Math.abs(shift)).toBeLessThan(ACCEPTED * scale);
  expect(video.color.chromaLocation).toBe(clip.result ?? 'left');
}

/**
 * Makes a clip with a vertical edge in the even frames and a horizontal one in the odd frames. zimg, which reads and
 * writes chroma locations by itself, converts it, so that nothing of swscale is taken for right.
 */
function makeEdges(path: string, { location, pixels, encoder, rotation = 0 }: Clip): void {
  // An edge four pixels wide, from dark red to light blue: no filter overshoots into clipping, and both planes change by
  // more than 50 levels, so that rounding moves an edge by little.
  const at = `clip((if(mod(N,2),Y,X)+0.5-${SIZE / 2})/4+0.5,0,1)`;
  const image = `color=size=${SIZE}x${SIZE}:rate=25,format=gbrp,geq=r='140-20*${at}':g='40+100*${at}':b='40+190*${at}'`;
  const range = pixels.startsWith('yuvj') ? 'full' : 'limited';
  const plain = rotation === 0 ? path : `${path}.plain.mp4`;
  ffmpeg(
    ...['-f', 'lavfi', '-i', image, '-frames:v', '4'],
    ...['-vf', `zscale=matrix=709:range=${range}:chromal=${location}:filter=bicubic,format=${pixels}`],
    ...[...encoder, '-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709', plain],
  );
  if (plain === path) return;
  ffmpeg('-i', plain, '-c', 'copy', '-metadata:s:v:0', `rotate=${rotation}`, path);
  rmSync(plain);
}

/** By how many pixels the edge of Cb is to the right of that of the luma, and below it. */
function chromaOffsets(path: string, size: number, rotation = 0, location = 'left'): number[] {
  // Turned after the conversion to 4:4:4, where chroma samples are where their pixels are.
  const turn = { 0: 'null', 90: 'transpose=clock', 180: 'hflip,vflip', 270: 'transpose=cclock' }[rotation];
  const raw = execFileSync('ffmpeg', [
    ...['-v', 'error', '-noautorotate', '-i', path, '-frames:v', '2'],
    ...[
      '-vf',
      `zscale=chromalin=${location}:filter=bicubic,format=yuv444p10le,${turn}`,
      '-f',
      'rawvideo',
      '-',
    ],
  ]);
  /** Samples across the middle of a plane, from left to right or from top to bottom. */
  const across = (frame: number, plane: number, axis: number) =>
    Array.from({ length: size }, (_, i) => {
      const sample = axis === 0 ? (size / 2) * size + i : i * size + size / 2;
      return raw.readUInt16LE(2 * ((frame * 3 + plane) * size * size + sample));
    });
  const ends = (line: number[]) => [line[2] ?? NaN, line.at(-3) ?? NaN] as const;
  const place = (line: number[]) => {
    const [first, last] = ends(line);
    return line.reduce((sum, value) => sum + (last - value) / (last - first), 0);
  };
  return [0, 1].map((axis) => {
    // A turned clip has the horizontal edge in its first frame.
    const frame = [0, 1].find((number) => {
      const [first, last] = ends(across(number, 1, axis));
      return Math.abs(first - last) > 40;
    });
    if (frame === undefined) throw new Error(`${path} has no edge along axis ${axis}.`);
    return place(across(frame, 1, axis)) - place(across(frame, 0, axis));
  });
}
