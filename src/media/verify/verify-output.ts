import { basename } from 'node:path';
import { AudioShiftedError, FfmpegError, InputRejectedError, VerificationError } from '../../domain/errors.ts';
import type { Chroma, FrameFormat, MediaInfo } from '../../domain/media-info.ts';
import { isTenBit } from '../encode/choose-codec.ts';
import { isMissingFile } from '../../lib/file-errors.ts';
import { agrees, type OutputColor } from '../decode/color-conversion.ts';
import { encoderPixelFormat } from '../encode/encoder-arguments.ts';
import { inputArguments, QUIET } from '../ffmpeg/ffmpeg-arguments.ts';
import { FRAME_HASH_OUTPUT, readFrameHashes } from '../index/frame-hash-lines.ts';
import type { OutputTiming } from '../encode/output-timing.ts';
import { probeMedia } from '../probe/probe-media.ts';
import { FfmpegProcess } from '../ffmpeg/ffmpeg-process.ts';
import { audioFaults } from './verify-audio.ts';
import type { StreamPlan } from '../join/stream-plan.ts';

export interface ExpectedOutput {
  readonly format: FrameFormat;
  readonly chroma: Chroma;
  readonly timing: OutputTiming;
  readonly color: OutputColor;
  readonly sampleAspectRatio: { num: number; den: number };
  readonly plan: StreamPlan;
  /** What the audio is held against. */
  readonly source: MediaInfo;
}

/** Room for a file that is larger than it must be, so that this can be told. */
function maxPixels({ width, height }: FrameFormat): number {
  return 2 * width * height + 1_000_000;
}

/**
 * Decodes the finished file in full and holds it against what it must be (R17): every frame at its time, size,
 * pixel aspect, colours, and as many other streams of each kind as were planned.
 *
 * @throws VerificationError with every fault found; AudioShiftedError where moving audio tracks would mend it.
 */
export async function verifyOutput(
  path: string,
  expected: ExpectedOutput,
  signal?: AbortSignal,
): Promise<void> {
  const found = await probeMedia(
    path,
    { inputMegapixels: maxPixels(expected.format) / 1e6, hours: Infinity },
    signal,
  ).catch((error: unknown) => {
    if (isMissingFile(error))
      throw new VerificationError(`Joining gave no file ${basename(path)}.`, { cause: error });
    // The source is not to blame for what is wrong with the file that was made of it.
    if (error instanceof InputRejectedError)
      throw new VerificationError(`The finished file cannot be read: ${error.message}`, { cause: error });
    throw error;
  });
  const frames = await frameFaults(found, expected, signal);
  const { firstFrameSeconds } = frames;
  const audio = await audioFaults(expected.source, found, { ...expected, firstFrameSeconds }, signal);
  const others = [...streamFaults(found, expected), ...frames.faults];
  const faults = [...others, ...audio.map(({ sentence }) => sentence)];
  if (faults.length === 0) return;
  const message = `The finished file ${basename(path)} is not what it must be: ${faults.join('; ')}.`;
  if (others.length === 0)
    throw new AudioShiftedError(message, new Map(audio.map(({ index, shift }) => [index, shift])));
  throw new VerificationError(message);
}

function streamFaults(found: MediaInfo, expected: ExpectedOutput): string[] {
  const faults: string[] = [];
  const { video } = found;
  const { format, sampleAspectRatio: aspect, plan } = expected;
  if (video.width !== format.width || video.height !== format.height) {
    faults.push(`it is ${video.width}x${video.height} instead of ${format.width}x${format.height}`);
  }
  const pixelFormat = encoderPixelFormat('libx264', isTenBit(format), expected.chroma);
  // Full range of 8 bit has names of its own.
  if (video.pixelFormat.replace('yuvj', 'yuv') !== pixelFormat)
    faults.push(`its pixels are ${video.pixelFormat} instead of ${pixelFormat}`);
  if (video.rotationDegrees !== 0) faults.push('it is turned');
  const ratio = (video.sampleAspectRatio.num * aspect.den) / (video.sampleAspectRatio.den * aspect.num);
  if (Math.abs(ratio - 1) > 0.001) faults.push('its pixel aspect is wrong');
  if (!agrees(video.color, expected.color)) {
    faults.push(
      `its colours are ${JSON.stringify(video.color)} instead of ${JSON.stringify(expected.color)}`,
    );
  }
  for (const kind of ['audio', 'subtitle', 'attachment', 'video'] as const) {
    const wanted = plan.fates.filter((fate) => fate.stream.kind === kind && fate.codec !== null).length;
    const present = found.others.filter((stream) => stream.kind === kind).length;
    if (present !== wanted) faults.push(`it has ${present} ${kind} streams instead of ${wanted}`);
  }
  return faults;
}

async function frameFaults(
  found: MediaInfo,
  expected: ExpectedOutput,
  signal: AbortSignal | undefined,
): Promise<{ faults: string[]; firstFrameSeconds: number }> {
  const { timing } = expected;
  const args = [
    ...QUIET,
    ...inputArguments(found.path, { maxPixels: maxPixels(expected.format), before: ['-copyts'] }),
    '-map',
    `0:${found.video.index}`,
    ...FRAME_HASH_OUTPUT,
    'pipe:1',
  ];
  const child = new FfmpegProcess('ffmpeg', args, {
    purpose: `checking ${basename(found.path)}`,
    signal,
    // The tracks that were copied are a stranger's still.
    access: { reads: found.path },
  });
  child.stdin.end();
  child.extra.resume();
  const tick = { seconds: found.video.timeBase.num / found.video.timeBase.den };
  // One tick of the coarser clock, and the half microsecond that ffmpeg rounds an input's start to.
  const tolerance = Math.max(tick.seconds, 1 / timing.timescale) + 1e-6;
  const firstWanted = (timing.pts[0] ?? 0) / timing.timescale;
  let firstFound = 0;
  let seen = 0;
  let misplaced: string | null = null;
  for await (const frame of readFrameHashes(
    child.stdout,
    (timeBase) => (tick.seconds = timeBase.num / timeBase.den),
  )) {
    child.touch();
    if (seen === 0) firstFound = frame.pts * tick.seconds;
    const wanted = (timing.pts[seen] ?? 0) / timing.timescale - firstWanted;
    const at = frame.pts * tick.seconds - firstFound;
    if (misplaced === null && Math.abs(at - wanted) > tolerance) {
      misplaced = `frame ${seen} is at ${at.toFixed(6)} s instead of ${wanted.toFixed(6)} s`;
    }
    seen++;
  }
  try {
    await child.ended;
  } catch (error) {
    if (error instanceof FfmpegError)
      return { faults: [`it does not decode (${error.message})`], firstFrameSeconds: firstFound };
    throw error;
  }
  const faults = misplaced === null ? [] : [misplaced];
  if (seen !== timing.pts.length) faults.unshift(`it has ${seen} frames instead of ${timing.pts.length}`);
  return { faults, firstFrameSeconds: firstFound };
}
