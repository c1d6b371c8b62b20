import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { FfmpegError, InputRejectedError } from '../../domain/errors.ts';
import type { HdrMetadata, MediaInfo } from '../../domain/media-info.ts';
import { counted } from '../../lib/counted.ts';
import { withoutFullStop } from '../../lib/without-full-stop.ts';
import { mayBeDiscontinuous } from '../index/source-timeline.ts';
import { probeAnimation } from '../still/animated-webp.ts';
import { probeStill } from '../still/probe-still.ts';
import { isAnimatedWebpFile, stillFormatOf } from '../still/still-format.ts';
import { inputArguments } from '../ffmpeg/ffmpeg-arguments.ts';
import { dynamicHdrOf, needsDolbyVision } from './dynamic-hdr.ts';
import { joinHdrMetadata, parseHdrMetadata, SideData } from './hdr-metadata.ts';
import { runForText } from '../ffmpeg/run-for-text.ts';
import {
  area,
  describeOther,
  describeVideo,
  mainVideo,
  parseSeconds,
  Stream,
  isEncrypted,
  isEncryptionData,
} from './stream-info.ts';
import { whyUnknownMatrix } from '../decode/color-conversion.ts';

/** Limits that are checked in the header before anything is decoded (promise 31 in docs/promises.md). */
export interface InputLimits {
  readonly inputMegapixels: number;
  readonly hours: number;
}

const PROBE_TIMEOUT_MS = 30_000;

const ProbeOutput = z.object({
  format: z.object({
    format_name: z.string(),
    duration: z.string().optional(),
    start_time: z.string().optional(),
    tags: z.record(z.string(), z.string()).default({}),
  }),
  streams: z.array(Stream),
  chapters: z.array(z.unknown()).default([]),
});

const BeginningOutput = z.object({
  packets_and_frames: z.array(z.object({ side_data_list: z.array(SideData).optional() })).default([]),
});

/** A duration in a header is trusted only if the file has at least this many bytes for each second. */
export const MIN_BYTES_PER_SECOND = 100;

/**
 * Reads the headers and the first frame of a video or still image.
 *
 * @param path absolute
 * @param keepsDolbyVision accepts Dolby Vision whose colours will be wrong, for a job that was begun with it
 * @throws InputRejectedError if the file is not a readable video or exceeds a limit
 */
export async function probeMedia(
  path: string,
  limits: InputLimits,
  signal?: AbortSignal,
  { keepsDolbyVision = false }: { readonly keepsDolbyVision?: boolean } = {},
): Promise<MediaInfo> {
  const name = basename(path);
  const { size } = await stat(path);
  if (size === 0) throw new InputRejectedError('EMPTY_FILE', `${name} is empty.`);
  const still = await stillFormatOf(path);
  if (still !== null) {
    const image = await probeStill(path, still, signal);
    assertPixels(name, image.video.width, image.video.height, limits);
    return image;
  }
  if (await isAnimatedWebpFile(path)) {
    const animation = await probeAnimation(path);
    assertPixels(name, animation.video.width, animation.video.height, limits);
    assertDuration(name, animation, limits);
    return animation;
  }
  const probed = parseOutput(ProbeOutput, await runProbe(path, name, HEADERS, limits, signal), name);

  const main = mainVideo(probed.streams);
  if (main === null) {
    if (probed.streams.some((stream) => stream.codec_type === 'video' && area(stream) === 0)) {
      throw new InputRejectedError(
        'UNSUPPORTED_CODEC',
        `${name} has a video stream whose frames cannot be read or exceed limits.inputMegapixels.`,
      );
    }
    const kinds = probed.streams.map((stream) => stream.codec_type ?? 'unknown').join(', ');
    throw new InputRejectedError(
      'NO_VIDEO_STREAM',
      `${name} has no video stream (streams found: ${kinds || 'none'}).`,
    );
  }
  assertPixels(name, main.width ?? 0, main.height ?? 0, limits);
  const beginning = await readBeginning(path, name, main.index, limits, signal);
  if (isEncrypted(main) || beginning.encrypted) {
    throw new InputRejectedError('ENCRYPTED', `${name} is encrypted.`);
  }
  if (main.codec_name === undefined || main.pix_fmt === undefined) {
    const codec = main.codec_name ?? main.codec_tag_string ?? 'an unknown codec';
    throw new InputRejectedError(
      'UNSUPPORTED_CODEC',
      `${name} has a video stream (${codec}) that the installed ffmpeg cannot decode.`,
    );
  }
  const video = describeVideo(main, main.codec_name, main.pix_fmt);
  const unknownMatrix = whyUnknownMatrix(video);
  if (unknownMatrix !== null) throw new InputRejectedError('UNSUPPORTED_COLOR', `${name} ${unknownMatrix}`);
  if (!keepsDolbyVision && needsDolbyVision(main.side_data_list ?? []))
    throw new InputRejectedError(
      'UNSUPPORTED_COLOR',
      `${name} is Dolby Vision profile 5, whose colours are wrong without its Dolby Vision metadata, which Framekiln cannot keep; convert it to HDR10 first.`,
    );
  const info: MediaInfo = {
    path,
    container: probed.format.format_name,
    durationSeconds: parseSeconds(probed.format.duration),
    startSeconds: parseSeconds(probed.format.start_time) ?? 0,
    bytes: size,
    video,
    others: probed.streams.filter((stream) => stream !== main).map((stream) => describeOther(stream, main)),
    chapterCount: probed.chapters.length,
    tagNames: Object.keys(probed.format.tags),
  };
  assertDuration(name, info, limits);
  const hdr = joinHdrMetadata(video.hdr, beginning.hdr);
  const dynamicHdr = video.dynamicHdr ?? beginning.dynamicHdr;
  return { ...info, video: { ...video, hdr, dynamicHdr } };
}

const HEADERS = ['-show_format', '-show_streams', '-show_chapters'];

/**
 * Reads what only the first packet and frame show: encryption, and HDR metadata, which many containers cannot store in
 * their headers.
 */
async function readBeginning(
  path: string,
  name: string,
  index: number,
  limits: InputLimits,
  signal: AbortSignal | undefined,
): Promise<{ encrypted: boolean; hdr: HdrMetadata | null; dynamicHdr: string | null }> {
  const request = [
    '-show_packets',
    '-show_frames',
    '-select_streams',
    String(index),
    '-read_intervals',
    '%+#1',
  ];
  const output = parseOutput(BeginningOutput, await runProbe(path, name, request, limits, signal), name);
  const sideData = output.packets_and_frames.flatMap((entry) => entry.side_data_list ?? []);
  return {
    encrypted: sideData.some(isEncryptionData),
    hdr: parseHdrMetadata(sideData),
    dynamicHdr: dynamicHdrOf(sideData),
  };
}

/** Parses the JSON of ffprobe, which may not match the expected format for a hostile file. */
function parseOutput<T>(schema: z.ZodType<T>, text: string, name: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new InputRejectedError('NOT_A_VIDEO', `${name} has invalid headers.`, { cause: error });
  }
}

async function runProbe(
  path: string,
  name: string,
  request: readonly string[],
  limits: InputLimits,
  signal: AbortSignal | undefined,
): Promise<string> {
  // ffprobe decodes a few frames: one far above the limit must not allocate its memory.
  const maxPixels = Number.isFinite(limits.inputMegapixels) ? limits.inputMegapixels * 1e6 : undefined;
  const args = ['-hide_banner', '-loglevel', 'error', '-print_format', 'json', ...request];
  const input = inputArguments(path, maxPixels === undefined ? {} : { maxPixels });
  try {
    return await runForText('ffprobe', [...args, ...input], {
      purpose: `probing ${name}`,
      signal,
      access: { reads: path },
      stallMs: PROBE_TIMEOUT_MS,
      maxBytes: 16 * 1024 * 1024,
    });
  } catch (error) {
    if (!(error instanceof FfmpegError)) throw error;
    const tooLarge = /Picture size (\d+)x(\d+) exceeds specified max pixel/.exec(error.stderrTail);
    if (tooLarge !== null) assertPixels(name, Number(tooLarge[1]), Number(tooLarge[2]), limits);
    throw new InputRejectedError('NOT_A_VIDEO', `${name} ${whyUnreadable(error, path)}.`, { cause: error });
  }
}

/** Why ffprobe did not read the headers, as the rest of a sentence. It may be killed or hang for reasons outside the file. */
function whyUnreadable(error: FfmpegError, path: string): string {
  if (error.exitCode === null) return `cannot be read: ${withoutFullStop(error.message)}`;
  const foreign = /^\[(\S+) @ \S+\] Format not on whitelist/m.exec(error.stderrTail)?.[1];
  if (foreign !== undefined) return `is in a format that is not supported (${foreign})`;
  const said = error.stderrTail.split('\n').at(-1)?.replace(`file:${path}: `, '').trim() ?? '';
  return `is not a video or is damaged${said === '' ? '' : ` (${said})`}`;
}

function assertPixels(name: string, width: number, height: number, limits: InputLimits): void {
  if (width * height <= limits.inputMegapixels * 1e6) return;
  throw new InputRejectedError(
    'LIMIT_EXCEEDED',
    `${name} is ${width}x${height}, more than the limit of ${counted(limits.inputMegapixels, 'megapixel')} (limits.inputMegapixels).`,
  );
}

function assertDuration(name: string, info: MediaInfo, limits: InputLimits): void {
  const { durationSeconds, bytes } = info;
  // A duration that is not trusted here is checked frame by frame while the file is indexed.
  const isTrusted =
    durationSeconds !== null && !mayBeDiscontinuous(info) && bytes >= durationSeconds * MIN_BYTES_PER_SECOND;
  if (!isTrusted || durationSeconds <= limits.hours * 3600) return;
  const hours = (durationSeconds / 3600).toFixed(1);
  throw new InputRejectedError(
    'LIMIT_EXCEEDED',
    `${name} is ${hours} hours long according to its header, more than the limit of ${counted(limits.hours, 'hour')} (limits.hours).`,
  );
}
