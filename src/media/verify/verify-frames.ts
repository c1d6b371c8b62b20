import { basename } from 'node:path';
import { FfmpegError } from '../../domain/errors.ts';
import type { MediaInfo } from '../../domain/media-info.ts';
import { firstDifference, type Captions } from '../captions/captions.ts';
import { captionOutputs, readCaptions } from '../captions/read-captions.ts';
import { counted } from '../../lib/counted.ts';
import type { OutputTiming } from '../encode/output-timing.ts';
import { inputArguments, QUIET } from '../ffmpeg/ffmpeg-arguments.ts';
import { FfmpegProcess } from '../ffmpeg/ffmpeg-process.ts';
import { FRAME_TIMES_INPUT, FRAME_TIMES_OUTPUT, readFrameTimestamps } from '../index/frame-hash-lines.ts';
import { claimedEndSeconds } from '../probe/claimed-end.ts';

/** Result of decoding all frames of a finished file. */
export interface FrameCheck {
  readonly faults: readonly string[];
  /** Timestamp of the first frame in the finished file. */
  readonly firstFrameSeconds: number;
}

/** What the frames of a finished file must be. */
export interface ExpectedFrames {
  readonly timing: OutputTiming;
  readonly captions: Captions | null;
  /** Pixel limit for decoding. */
  readonly maxPixels: number;
}

/** Decodes a finished file completely and compares the number, timestamps and captions of its frames with the plan. */
export async function checkFrames(
  found: MediaInfo,
  { timing, captions, maxPixels }: ExpectedFrames,
  signal?: AbortSignal,
): Promise<FrameCheck> {
  const input = inputArguments(found.path, { maxPixels, before: ['-copyts', ...FRAME_TIMES_INPUT] });
  const args = [
    ...[...QUIET, ...input, '-map', `0:${found.video.index}`, ...FRAME_TIMES_OUTPUT, 'pipe:1'],
    ...(captions === null ? [] : captionOutputs(found.video.index, { payloads: 4, times: 5 })),
  ];
  const child = new FfmpegProcess('ffmpeg', args, {
    purpose: `verifying ${basename(found.path)}`,
    signal,
    // The copied tracks are still untrusted.
    access: { reads: found.path },
    moreOutputs: captions === null ? 0 : 2,
  });
  child.stdin.end();
  child.extra.resume();
  const foundCaptions =
    captions === null ? Promise.resolve(() => null) : readCaptions(child.output(4), child.output(5));
  // It fails when the process is stopped; `child.ended` then has the reason.
  foundCaptions.catch(() => undefined);
  const { timeBase, pts } = await readFrameTimestamps(child);
  const { num, den } = timeBase ?? found.video.timeBase;
  const firstFrameSeconds = ((pts[0] ?? 0) * num) / den;
  try {
    await child.ended;
  } catch (error) {
    if (!(error instanceof FfmpegError)) throw error;
    return { faults: [`cannot be decoded (${error.message})`], firstFrameSeconds };
  }
  const faults = [
    ...timeFaults(found, pts, num / den, timing),
    ...captionFaults(captions, (await foundCaptions)(pts)),
  ];
  return { faults, firstFrameSeconds };
}

/**
 * Compares the timestamps of all frames and the time for which the last one is shown with the planned ones.
 *
 * @param pts in units of `tickSeconds`, in the order in which frames are shown
 */
export function timeFaults(
  found: MediaInfo,
  pts: readonly number[],
  tickSeconds: number,
  timing: OutputTiming,
): string[] {
  const faults = timestampFaults(pts, tickSeconds, timing);
  if (faults.length > 0) return faults;
  const held = (claimedEndSeconds(found) ?? NaN) - (pts.at(-1) ?? 0) * tickSeconds;
  return holdFaults(held, tickSeconds, timing);
}

function captionFaults(planned: Captions | null, found: Captions | null): string[] {
  const frame = planned === null ? null : firstDifference(planned, found);
  return frame === null ? [] : [`has different captions from the source at frame ${frame}`];
}

/**
 * Compares the time for which the last frame is shown with the planned one.
 *
 * @param held seconds according to the container; NaN if it does not say
 */
export function holdFaults(held: number, tickSeconds: number, timing: OutputTiming): string[] {
  const planned = timing.lastDuration / timing.timescale;
  // Both the timestamp of the frame and the end of the track are rounded.
  if (Math.abs(held - planned) <= 2 * Math.max(tickSeconds, 1 / timing.timescale) + 1e-6) return [];
  const found = Number.isNaN(held) ? 'an unknown time' : `${held.toFixed(3)} s`;
  return [`shows its last frame for ${found} instead of ${planned.toFixed(3)} s`];
}

/**
 * Compares the timestamps of decoded frames with the planned ones, relative to the first frame of each.
 *
 * @param pts in units of `tickSeconds`
 */
export function timestampFaults(pts: readonly number[], tickSeconds: number, timing: OutputTiming): string[] {
  const faults: string[] = [];
  if (pts.length !== timing.pts.length)
    faults.push(`has ${counted(pts.length, 'frame')} instead of ${timing.pts.length}`);
  const tolerance = timeTolerance(tickSeconds, timing);
  for (const [frame, ticks] of pts.entries()) {
    const plannedTicks = timing.pts[frame];
    if (plannedTicks === undefined) break;
    const at = (ticks - (pts[0] ?? 0)) * tickSeconds;
    const planned = (plannedTicks - (timing.pts[0] ?? 0)) / timing.timescale;
    if (Math.abs(at - planned) > tolerance)
      return [...faults, `has frame ${frame} at ${at.toFixed(6)} s instead of ${planned.toFixed(6)} s`];
  }
  return faults;
}

/** One tick of the coarser time base, plus the half microsecond to which ffmpeg rounds the start of an input. */
export function timeTolerance(tickSeconds: number, timing: OutputTiming): number {
  return Math.max(tickSeconds, 1 / timing.timescale) + 1e-6;
}
