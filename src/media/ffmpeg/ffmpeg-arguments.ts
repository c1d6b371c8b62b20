/**
 * Demuxers that an input may be read with. A playlist (HLS, DASH, ffconcat) named `x.mp4` would open other local
 * files. `-protocol_whitelist file` alone does not prevent that; this list does.
 */
const INPUT_FORMATS = [
  'mov,mp4,m4a,3gp,3g2,mj2',
  'matroska,webm',
  'avi',
  'mpegts',
  'mpeg',
  'mpegvideo',
  'flv',
  'asf',
  'gif',
  'apng',
  'ogg',
  'mxf',
  'nut',
  'dv',
  'ivf',
  'rm',
  'yuv4mpegpipe',
  'h264',
  'hevc',
  'm4v',
  'h263',
  'vc1',
  'obu',
];

/** More streams than any film has. Each one uses memory before any of it is decoded. */
const MAX_STREAMS = 200;

/** Range of the limit on a single allocation of ffmpeg, which is sixteen bytes for each pixel allowed, or a frame to write. */
const LEAST_ALLOCATION_BYTES = 512 * 1024 * 1024;
const MOST_ALLOCATION_BYTES = 2 ** 31 - 1;

export interface InputOptions {
  /** Largest image that a decoder may allocate, in pixels (promise 31 in docs/promises.md). */
  readonly maxPixels?: number;
  /** Size of the frames that ffmpeg is to write, which may be larger than those that it decodes. */
  readonly frameBytes?: number;
  /** Further demuxer or decoder options that go before `-i`. */
  readonly before?: readonly string[];
}

/**
 * Arguments that open a local file as nothing but a local file of a known container: never an option, a pattern or
 * a protocol, whatever its name (promises 22 and 28 in docs/promises.md).
 *
 * @param path absolute
 */
export function inputArguments(path: string, options: InputOptions = {}): string[] {
  const { maxPixels, frameBytes = 0 } = options;
  const limits = maxPixels === undefined ? [] : ['-max_pixels', String(maxPixels)];
  // Some padding is added to a frame.
  const wanted = Math.max(16 * (maxPixels ?? 0), 1.1 * frameBytes);
  const allocation = Math.max(LEAST_ALLOCATION_BYTES, Math.min(Math.ceil(wanted), MOST_ALLOCATION_BYTES));
  return [
    '-protocol_whitelist',
    'file',
    '-format_whitelist',
    INPUT_FORMATS.join(','),
    '-max_streams',
    String(MAX_STREAMS),
    '-max_alloc',
    String(allocation),
    ...limits,
    ...(options.before ?? []),
    '-i',
    `file:${path}`,
  ];
}

/**
 * A file of raw frames that Framekiln itself has written. ffmpeg reads the file itself, which saves 4 ms of CPU time for a
 * frame of 2160p against a pipe.
 */
export function rawInputArguments(
  path: string,
  format: { width: number; height: number; pixelFormat: string },
  frameRate: string,
): string[] {
  return [
    '-protocol_whitelist',
    'file',
    '-f',
    'rawvideo',
    '-pixel_format',
    format.pixelFormat,
    '-video_size',
    `${format.width}x${format.height}`,
    '-framerate',
    frameRate,
    '-i',
    `file:${path}`,
  ];
}

/** The first arguments of every ffmpeg call. */
export const QUIET = ['-hide_banner', '-nostdin', '-loglevel', 'error', '-xerror'] as const;

/** Like QUIET, but ffmpeg continues after decoder errors, which damaged files cause. */
export const QUIET_LENIENT = ['-hide_banner', '-nostdin', '-loglevel', 'error'] as const;
