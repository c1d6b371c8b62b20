import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { FfmpegError, InputRejectedError } from '../../domain/errors.ts';
import type { MediaInfo } from '../../domain/media-info.ts';
import { withoutFullStop } from '../../lib/without-full-stop.ts';
import { runForText } from '../ffmpeg/run-for-text.ts';
import { bitsPerComponent } from '../probe/stream-info.ts';
import { avifSize, type StillFormat } from './still-format.ts';

const PROBE_TIMEOUT_MS = 30_000;

const ProbeOutput = z.object({
  streams: z.array(
    z.object({
      width: z.number().min(1),
      height: z.number().min(1),
      pix_fmt: z.string(),
    }),
  ),
});

/**
 * Describes a still image as a video of one frame.
 *
 * @throws InputRejectedError NOT_A_VIDEO
 */
export async function probeStill(
  path: string,
  format: StillFormat,
  signal?: AbortSignal,
): Promise<MediaInfo> {
  const found = format === 'avif' ? await probeAvif(path) : await probeWithFfmpeg(path, format, signal);
  if (found === null) throw damaged(path);
  const { width, height, bits } = found;
  return {
    path,
    container: format,
    durationSeconds: null,
    startSeconds: 0,
    bytes: (await stat(path)).size,
    video: {
      ...{ index: 0, codec: format, width, height, bitsPerComponent: bits, isStill: true },
      pixelFormat: bits > 8 ? 'rgb48le' : 'rgb24',
      timeBase: { num: 1, den: 1000 },
      averageFrameRate: null,
      sampleAspectRatio: { num: 1, den: 1 },
      // The EXIF orientation is kept with the image, and so is its transparency.
      ...{ rotationDegrees: 0, mirrored: false, hasAlpha: false, interlaced: false },
      color: { range: null, matrix: null, primaries: null, transfer: null, chromaLocation: null },
      ...{ hdr: null, dynamicHdr: null, durationSeconds: null, startSeconds: null, dispositions: [] },
    },
    ...{ others: [], chapterCount: 0, tagNames: [] },
  };
}

interface Found {
  readonly width: number;
  readonly height: number;
  readonly bits: number;
}

async function probeAvif(path: string): Promise<Found | null> {
  const size = await avifSize(path);
  return size === null || size.width < 1 || size.height < 1 ? null : { ...size, bits: 8 };
}

async function probeWithFfmpeg(
  path: string,
  format: Exclude<StillFormat, 'avif'>,
  signal: AbortSignal | undefined,
): Promise<Found | null> {
  const args = ['-hide_banner', '-loglevel', 'error', '-print_format', 'json', '-show_streams'];
  const input = ['-protocol_whitelist', 'file', '-f', `${format}_pipe`, '-i', `file:${path}`];
  try {
    const text = await runForText('ffprobe', [...args, ...input], {
      purpose: `probing ${basename(path)}`,
      signal,
      access: { reads: path },
      stallMs: PROBE_TIMEOUT_MS,
      maxBytes: 1024 * 1024,
    });
    const [stream] = ProbeOutput.safeParse(JSON.parse(text)).data?.streams ?? [];
    if (stream === undefined) return null;
    const { width, height, pix_fmt: pixelFormat } = stream;
    return { width, height, bits: bitsPerComponent(pixelFormat) };
  } catch (error) {
    if (!(error instanceof FfmpegError)) throw error;
    if (error.exitCode !== null) throw damaged(path, error);
    // It may be killed or hang for reasons outside the file.
    const why = `${basename(path)} cannot be read: ${withoutFullStop(error.message)}.`;
    throw new InputRejectedError('NOT_A_VIDEO', why, { cause: error });
  }
}

function damaged(path: string, cause?: unknown): InputRejectedError {
  return new InputRejectedError('NOT_A_VIDEO', `${basename(path)} is a damaged image.`, { cause });
}
