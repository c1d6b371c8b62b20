import type { ChromaLocation, VideoStreamInfo } from '../../domain/media-info.ts';

/** Size in pixels of the block that shares one chroma sample. */
interface Block {
  readonly width: number;
  readonly height: number;
}

/** Blocks by pixel format of ffmpeg; formats that match none have a chroma sample for each pixel. */
const BLOCKS: readonly (readonly [RegExp, Block])[] = [
  [/420|^(nv12|nv21|p0\d\d)/, { width: 2, height: 2 }],
  [/422|^(nv16|nv20|p2\d\d|y2\d\d)/, { width: 2, height: 1 }],
  [/411/, { width: 4, height: 1 }],
  [/440/, { width: 1, height: 2 }],
  [/uv410/, { width: 4, height: 4 }],
];

/** Units of the positions in ffmpeg's scale filter: a pixel has 256. */
const PIXEL = 256;
/** The largest position that the filter accepts. */
const MAX_POSITION = 2 * PIXEL;

/**
 * Options of the scale filter for the chroma positions of decoded frames, which ffmpeg has rotated. Without them the
 * filter takes the samples to be in the middle of their blocks, and red text gets a fringe of half a pixel.
 */
export function chromaInputOptions({
  pixelFormat,
  color,
  rotationDegrees,
  mirrored,
}: VideoStreamInfo): string {
  const block = blockOf(pixelFormat);
  if (isConvertedToTurn({ pixelFormat, rotationDegrees })) return '';
  const { x, y } = positionIn(block, color.chromaLocation ?? 'left');
  const farX = (block.width - 1) * PIXEL - x;
  const farY = (block.height - 1) * PIXEL - y;
  switch (rotationDegrees) {
    case 90:
      return options('in', block, mirrored ? { x: y, y: x } : { x: farY, y: x });
    case 180:
      return options('in', block, { x: farX, y: mirrored ? y : farY });
    case 270:
      return options('in', block, mirrored ? { x: farY, y: farX } : { x: y, y: farX });
    default:
      return options('in', block, { x, y: mirrored ? farY : y });
  }
}

/**
 * Options of the scale filter that ffmpeg itself inserts before it turns frames whose chroma blocks are not square; empty
 * if it inserts none.
 */
export function chromaTurningOptions(video: VideoStreamInfo): string {
  const block = blockOf(video.pixelFormat);
  if (!isConvertedToTurn(video)) return '';
  return options('in', block, positionIn(block, video.color.chromaLocation ?? 'left'));
}

/** ffmpeg turns only formats with square blocks, and converts others to one chroma sample for each pixel first. */
function isConvertedToTurn({
  pixelFormat,
  rotationDegrees,
}: Pick<VideoStreamInfo, 'pixelFormat' | 'rotationDegrees'>): boolean {
  const { width, height } = blockOf(pixelFormat);
  return rotationDegrees % 180 !== 0 && width !== height;
}

/** Options of the scale filter for the chroma positions of frames to encode. */
export function chromaOutputOptions(location: ChromaLocation, pixelFormat: string): string {
  const block = blockOf(pixelFormat);
  return options('out', block, positionIn(block, location));
}

/** Whether the pixel format has one chroma sample for each 2x2 pixels. */
export function isQuartered(pixelFormat: string): boolean {
  const { width, height } = blockOf(pixelFormat);
  return width === 2 && height === 2;
}

function blockOf(pixelFormat: string): Block {
  return BLOCKS.find(([pattern]) => pattern.test(pixelFormat))?.[1] ?? { width: 1, height: 1 };
}

interface Position {
  readonly x: number;
  readonly y: number;
}

/** Position of a chroma sample, from the centre of the upper left pixel of its block. */
function positionIn({ width, height }: Block, location: ChromaLocation): Position {
  const [right, bottom] = [(width - 1) * PIXEL, (height - 1) * PIXEL];
  const y = location.startsWith('top') ? 0 : location.startsWith('bottom') ? bottom : bottom / 2;
  return { x: location.endsWith('left') ? 0 : right / 2, y };
}

/** A position is an error along an axis on which there is a chroma sample for each pixel. */
function options(side: 'in' | 'out', block: Block, { x, y }: Position): string {
  const h = block.width === 1 ? '' : `:${side}_h_chr_pos=${Math.min(x, MAX_POSITION)}`;
  const v = block.height === 1 ? '' : `:${side}_v_chr_pos=${Math.min(y, MAX_POSITION)}`;
  return h + v;
}
