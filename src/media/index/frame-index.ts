import { basename } from 'node:path';
import { FfmpegError, InputRejectedError } from '../../domain/errors.ts';
import type { MediaInfo, Rational } from '../../domain/media-info.ts';
import type { Captions } from '../captions/captions.ts';
import { captionOutputs, readCaptions } from '../captions/read-captions.ts';
import { inputArguments, QUIET_LENIENT } from '../ffmpeg/ffmpeg-arguments.ts';
import { followFrames, FRAME_HASH_OUTPUT, readFrameHashes, type HashedFrame } from './frame-hash-lines.ts';
import { PROGRESSIVE, type FieldPlan } from '../fields/field-plan.ts';
import { FieldReader } from '../fields/read-fields.ts';
import { lastFrameSeconds } from './last-frame.ts';
import { LimitGuard, type IndexLimits } from './limit-guard.ts';
import { FfmpegProcess } from '../ffmpeg/ffmpeg-process.ts';

/**
 * The timestamp and image hash of every frame of a source, in display order. The index comes from decoding the source
 * once, because headers cannot be trusted; it is the reference for "no frame lost, duplicated or moved".
 */
export interface FrameIndex {
  readonly timeBase: Rational;
  /** Presentation timestamps of the source, in `timeBase`. */
  readonly pts: Float64Array;
  /** Hashes of the decoded images (32 bits of murmur3). */
  readonly hashes: Uint32Array;
  /** Duration of the last frame, in `timeBase`, as the container stores it; 0 if unknown. */
  readonly lastDuration: number;
  /** Number of packets of the stream in the container, including those that cannot be decoded. */
  readonly packetCount: number;
  /** Number of lines that ffmpeg printed about errors while it decoded the source. */
  readonly decoderErrorCount: number;
  /** Which frames are interlaced, and what is done about it. */
  readonly fields: FieldPlan;
  /** Closed captions in the video stream; null if there are none. */
  readonly captions: Captions | null;
}

export interface IndexOptions {
  readonly limits: IndexLimits;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (frameCount: number) => void;
  /** Only this part of the source; absent: all of it. In seconds from the start of the file. */
  readonly section?: { readonly from: number; readonly length: number };
}

/**
 * Builds the frame index of a source by decoding it.
 *
 * @throws InputRejectedError if no frame can be decoded or a limit is exceeded
 */
export async function indexFrames(source: MediaInfo, options: IndexOptions): Promise<FrameIndex> {
  const name = basename(source.path);
  const fieldReader = FieldReader.for(source);
  const before = ['-copyts', ...(options.section === undefined ? [] : sectionOptions(options.section))];
  const args = [
    ...QUIET_LENIENT,
    ...inputArguments(source.path, { maxPixels: options.limits.inputMegapixels * 1e6, before }),
    '-map',
    `0:${source.video.index}`,
    ...FRAME_HASH_OUTPUT,
    'pipe:1',
    '-map',
    `0:${source.video.index}`,
    '-c',
    'copy',
    ...FRAME_HASH_OUTPUT,
    'pipe:3',
    ...captionOutputs(source.video.index, { payloads: 4, times: 5 }),
    ...(fieldReader?.outputs({ samples: 6, marks: 7 }) ?? []),
  ];
  const child = new FfmpegProcess('ffmpeg', args, {
    purpose: `indexing ${name}`,
    signal: options.signal,
    access: { reads: source.path },
    moreOutputs: fieldReader === null ? 2 : 4,
  });
  child.stdin.end();
  const packets = readPackets(child);
  const captionsOf = readCaptions(child.output(4), child.output(5));
  const fieldsOf =
    fieldReader === null
      ? Promise.resolve(() => PROGRESSIVE)
      : fieldReader.read(child.output(6), child.output(7));
  // All of them fail when the process is stopped; `child.ended` then has the reason.
  for (const reading of [packets, captionsOf, fieldsOf]) reading.catch(() => undefined);
  const guard = new LimitGuard(name, options.limits);
  const pts: number[] = [];
  const hashes: number[] = [];
  let { timeBase } = source.video;
  let lastFrame: HashedFrame | null = null;
  for await (const frame of followFrames(child)) {
    timeBase = frame.timeBase;
    pts.push(frame.pts);
    hashes.push(frame.hash);
    lastFrame = frame;
    const exceeded = guard.whyExceeded(pts.length, (frame.pts * timeBase.num) / timeBase.den);
    if (exceeded !== null) {
      await child.kill();
      throw new InputRejectedError('LIMIT_EXCEEDED', exceeded);
    }
    options.onProgress?.(pts.length);
  }
  await endOfDecoding(child);
  if (lastFrame === null) {
    throw new InputRejectedError(
      'NO_DECODABLE_FRAME',
      `${name} has a video stream, but none of its frames can be decoded.`,
    );
  }
  const { count: packetCount, latest: latestPacket } = await packets;
  const end = { lastFrame, latestPacket, isIntact: child.complaints === 0 };
  const lastSeconds = await lastFrameSeconds(source, end, options.limits.hours * 3600);
  const lastEnd = (lastFrame.pts * timeBase.num) / timeBase.den + lastSeconds;
  const exceeded = guard.whyExceeded(pts.length, lastEnd);
  if (exceeded !== null) throw new InputRejectedError('LIMIT_EXCEEDED', exceeded);
  return {
    timeBase,
    pts: Float64Array.from(pts),
    hashes: Uint32Array.from(hashes),
    lastDuration: (lastSeconds * timeBase.den) / timeBase.num,
    packetCount,
    decoderErrorCount: child.complaints,
    fields: (await fieldsOf)(pts),
    captions: (await captionsOf)(pts),
  };
}

/** Elementary streams cannot even be sought to their start. */
function sectionOptions({ from, length }: NonNullable<IndexOptions['section']>): string[] {
  const seek = from === 0 ? [] : ['-ss', from.toFixed(6)];
  return [...seek, '-t', length.toFixed(6)];
}

/** Exit codes of ffmpeg for input that is damaged or ends early. The frames decoded until then count. */
const DAMAGED_INPUT_EXITS: ReadonlySet<number | null> = new Set([1, 69]);

/** Waits for the end of ffmpeg and accepts its exit codes for damaged input. */
async function endOfDecoding(child: FfmpegProcess): Promise<void> {
  try {
    await child.ended;
  } catch (error) {
    // A process that was killed, stalled or stopped says nothing about the file.
    if (!(error instanceof FfmpegError) || !DAMAGED_INPUT_EXITS.has(error.exitCode)) throw error;
  }
}

/** Counts the packets that ffmpeg reports on its second output, and finds the one with the latest timestamp. */
async function readPackets(child: FfmpegProcess): Promise<{ count: number; latest: HashedFrame | null }> {
  let count = 0;
  let latest: HashedFrame | null = null;
  for await (const packet of readFrameHashes(child.extra)) {
    if (!Number.isFinite(packet.duration)) continue;
    count++;
    if (latest === null || packet.pts >= latest.pts) latest = packet;
  }
  return { count, latest };
}
