import { basename } from 'node:path';
import { inputArguments, QUIET_LENIENT } from '../ffmpeg/ffmpeg-arguments.ts';
import { runForBytes } from '../ffmpeg/run-for-bytes.ts';

/** Larger images are scaled down: a preview is for a screen, and 8K would take seconds to encode. */
const MAX_WIDTH = 1920;
const MAX_BYTES = 16 * 1024 * 1024;
const STALL_MS = 30_000;

export interface PreviewRequest {
  /** Absolute path of a video or a still image. */
  readonly path: string;
  /** Time in seconds; null for the first frame. */
  readonly atSeconds: number | null;
  /** Whether the time is a timestamp of the file, or counts from the start of the file. */
  readonly isTimestamp: boolean;
  /** The part of the frame that is shown, in pixels; absent: all of it. */
  readonly crop?: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
  /** Absent: 1920. */
  readonly maxWidth?: number;
  /** Largest frame that is decoded, in pixels. */
  readonly maxPixels: number;
  readonly signal: AbortSignal;
}

/** Decodes the first frame at or after a time. @returns a JPEG image; empty if there is no such frame */
export function previewFrame({
  path,
  atSeconds,
  isTimestamp,
  crop,
  maxWidth = MAX_WIDTH,
  maxPixels,
  signal,
}: PreviewRequest): Promise<Buffer> {
  const seek =
    atSeconds === null ? [] : ['-seek_timestamp', isTimestamp ? '1' : '0', '-ss', atSeconds.toFixed(6)];
  // Square pixels, as browsers do not know others in a JPEG.
  const cut = crop === undefined ? '' : `crop=${crop.width}:${crop.height}:${crop.x}:${crop.y}:exact=1,`;
  const filter = `${cut}scale=w='trunc(min(${maxWidth},iw*sar)/2)*2':h=-2,setsar=1`;
  const output = ['-map', '0:v:0', '-frames:v', '1', '-vf', filter, '-c:v', 'mjpeg', '-q:v', '3'];
  const args = [
    ...QUIET_LENIENT,
    ...inputArguments(path, { maxPixels, before: seek }),
    ...output,
    ...['-pix_fmt', 'yuvj420p', '-f', 'image2pipe', 'pipe:1'],
  ];
  return runForBytes('ffmpeg', args, {
    ...{ purpose: `making a preview of ${basename(path)}`, signal, stallMs: STALL_MS, maxBytes: MAX_BYTES },
    access: { reads: path },
  });
}
