import type { ColorInfo, VideoStreamInfo } from '../../domain/media-info.ts';

/** A complete description of the finished file's colours; primaries and transfer stay unknown where they were. */
export interface OutputColor {
  readonly range: 'tv' | 'pc';
  readonly matrix: string;
  readonly primaries: string | null;
  readonly transfer: string | null;
}

/** Exact rounding and full chroma: the default path of swscale is off by several levels (PEERS.md, item 10). */
const SCALE_FLAGS = 'flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact';

/** Matrices of ffmpeg's colour names in the words of its scale filter. */
const SWSCALE_MATRICES: Readonly<Record<string, string>> = {
  bt709: 'bt709',
  fcc: 'fcc',
  bt470bg: 'bt470',
  smpte170m: 'smpte170m',
  smpte240m: 'smpte240m',
  bt2020nc: 'bt2020',
  bt2020c: 'bt2020',
};

/**
 * The colours of the finished file: the source's. A source that does not name its matrix is shown by players as
 * BT.709 from 720 lines on and as BT.601 below, so that is what it is taken for, and the output says so: an
 * upscaled image would otherwise cross that line and change its colours.
 */
export function outputColor(video: VideoStreamInfo): OutputColor {
  const { color } = video;
  const guessed = video.height >= 720 ? 'bt709' : 'smpte170m';
  const matrix = color.matrix !== null && color.matrix in SWSCALE_MATRICES ? color.matrix : guessed;
  return {
    range: isRgb(video.pixelFormat) ? 'tv' : (color.range ?? 'tv'),
    matrix,
    primaries: color.primaries,
    transfer: color.transfer,
  };
}

/** Why the source's colours cannot be converted right, as the rest of a sentence that begins with its name; else null. */
export function whyUnknownMatrix({ color, pixelFormat }: VideoStreamInfo): string | null {
  const { matrix } = color;
  if (matrix === null || matrix in SWSCALE_MATRICES || matrix === 'gbr' || isRgb(pixelFormat)) return null;
  return `has colours in ${matrix}, which this program cannot convert.`;
}

/**
 * The size that a frame is brought to. One whose image has another shape than the stream's first (a broadcast that
 * changes from 4:3 to 16:9) is made to fit and gets black bars, others fill the frame exactly.
 */
function fit({ width, height, sampleAspectRatio: { num, den } }: VideoStreamInfo): string {
  const shape = `dar*${height * den}/${width * num}`;
  const same = `lt(abs(${shape}-1),0.02)`;
  const w = `if(${same},${width},max(2,min(${width},round(${width}*${shape}))))`;
  const h = `if(${same},${height},max(2,min(${height},round(${height}/(${shape})))))`;
  return `w='${w}':h='${h}'`;
}

/** Filter from the source's pixels to packed RGB of exactly this size. */
export function toRgbFilter(video: VideoStreamInfo, pixelFormat: string): string {
  const { range, matrix } = outputColor(video);
  const input = isRgb(video.pixelFormat)
    ? ''
    : `:in_range=${range}:in_color_matrix=${SWSCALE_MATRICES[matrix] ?? 'auto'}`;
  // swscale's short way from 8-bit grey to RGB takes limited range for full.
  const deeper = /^(gray|ya8)$/.test(video.pixelFormat) ? 'format=gray16le,' : '';
  const colors = `${input}:out_range=pc:${SCALE_FLAGS},format=${pixelFormat}`;
  // ffmpeg's `pad` cannot paint 16 bit: there a change of shape is stretched.
  if (pixelFormat !== 'rgb24') return `${deeper}scale=w=${video.width}:h=${video.height}${colors}`;
  return `${deeper}scale=${fit(video)}${colors},pad=${video.width}:${video.height}:-1:-1`;
}

/** Filter from packed RGB to 4:2:0 with these colours. */
export function fromRgbFilter(color: OutputColor, pixelFormat: string): string {
  const matrix = SWSCALE_MATRICES[color.matrix] ?? 'auto';
  return `scale=in_range=pc:out_range=${color.range}:out_color_matrix=${matrix}:${SCALE_FLAGS},format=${pixelFormat}`;
}

/** ffprobe's names of transfers that ffmpeg's own options call otherwise. */
const TRANSFER_OPTIONS: Readonly<Record<string, string>> = { bt470m: 'gamma22', bt470bg: 'gamma28' };

/** Encoder arguments that write the description into the stream. */
export function colorArguments(color: OutputColor): string[] {
  return [
    '-color_range',
    color.range,
    '-colorspace',
    color.matrix,
    ...(color.primaries === null ? [] : ['-color_primaries', color.primaries]),
    ...(color.transfer === null ? [] : ['-color_trc', TRANSFER_OPTIONS[color.transfer] ?? color.transfer]),
  ];
}

function isRgb(pixelFormat: string): boolean {
  return /^(rgb|bgr|gbr|argb|abgr|rgba|bgra|0rgb|pal8)/.test(pixelFormat);
}

/** Whether two descriptions name the same colours, what is unknown in `expected` not counting. */
export function agrees(found: ColorInfo, expected: OutputColor): boolean {
  return (
    (found.range ?? 'tv') === expected.range &&
    found.matrix === expected.matrix &&
    (expected.primaries === null || found.primaries === expected.primaries) &&
    (expected.transfer === null || found.transfer === expected.transfer)
  );
}
