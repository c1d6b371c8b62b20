import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { FfmpegError } from '../../domain/errors.ts';
import type { MediaInfo } from '../../domain/media-info.ts';
import type { OutputTiming } from '../encode/output-timing.ts';
import { inputArguments, QUIET } from '../ffmpeg/ffmpeg-arguments.ts';
import { FfmpegProcess } from '../ffmpeg/ffmpeg-process.ts';
import { FRAME_TIMES_OUTPUT, readFrameTimestamps } from '../index/frame-hash-lines.ts';
import { PACKET_HASH, segmentPackets } from '../join/segment-packets.ts';
import { timeFaults, timeTolerance, type ExpectedFrames, type FrameCheck } from './verify-frames.ts';

/**
 * Checks the frames of a finished file without decoding all of them: its packets must be, byte for byte and in the same
 * order, those of segments that were decoded completely before, each at its planned time. The keyframes are decoded, with which
 * every segment begins, because the header of the file is new. See docs/decisions/0096-final-check.md.
 */
export async function checkPackets(
  found: MediaInfo,
  segmentPaths: readonly string[],
  { timing, maxPixels }: Omit<ExpectedFrames, 'captions'>,
  signal?: AbortSignal,
): Promise<FrameCheck> {
  const packets = await readPacketHashes(found, signal);
  const pts = packets.flatMap((packet) => (packet.isShown ? [packet.pts] : [])).sort((a, b) => a - b);
  const { num, den } = found.video.timeBase;
  const firstFrameSeconds = ((pts[0] ?? 0) * num) / den;
  const times = timeFaults(found, pts, num / den, timing);
  if (times.length > 0) return { faults: times, firstFrameSeconds };
  const faults = await contentFaults(packets, segmentPaths, num / den, timing);
  if (faults.length > 0) return { faults, firstFrameSeconds };
  return { faults: await keyframeFaults(found, segmentPaths.length, maxPixels, signal), firstFrameSeconds };
}

/** Compares packets, and the time at which each of them is shown, with those of the segments. */
async function contentFaults(
  packets: readonly HashedPacket[],
  segmentPaths: readonly string[],
  tickSeconds: number,
  timing: OutputTiming,
): Promise<string[]> {
  let number = 0;
  let firstPts: number | null = null;
  for (const path of segmentPaths)
    for (const { hash, pts } of await segmentPackets(path)) {
      const found = packets[number];
      if (found?.hash !== hash) return [`has other bytes in packet ${number} than ${basename(path)}`];
      firstPts ??= pts;
      const at = (found.pts - (packets[0]?.pts ?? 0)) * tickSeconds;
      const planned = (pts - firstPts) / timing.timescale;
      // The timestamps of all packets together may be right although two frames have changed places.
      if (!(Math.abs(at - planned) <= timeTolerance(tickSeconds, timing)))
        return [
          `shows packet ${number} of its video at ${at.toFixed(6)} s instead of ${planned.toFixed(6)} s`,
        ];
      number++;
    }
  return number === packets.length ? [] : [`has ${packets.length} packets instead of ${number}`];
}

interface HashedPacket {
  readonly pts: number;
  readonly hash: string;
  /** Whether no edit list hides it. */
  readonly isShown: boolean;
}

/** Reads the packets of the video, in the order of the file. */
async function readPacketHashes(
  { path, video }: MediaInfo,
  signal: AbortSignal | undefined,
): Promise<HashedPacket[]> {
  const wanted = ['-select_streams', String(video.index), '-show_entries', 'packet=pts,flags,data_hash'];
  const args = ['-show_data_hash', PACKET_HASH.ffprobe, '-of', 'csv=p=0', ...inputArguments(path)];
  const child = new FfmpegProcess('ffprobe', ['-loglevel', 'quiet', ...wanted, ...args], {
    purpose: `reading the packets of ${basename(path)}`,
    signal,
    access: { reads: path },
  });
  child.stdin.end();
  child.extra.resume();
  const packets: HashedPacket[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    child.touch();
    const [pts = '', flags = '', hash = ''] = line.split(',');
    if (hash !== '')
      packets.push({
        pts: Number(pts),
        hash: hash.slice(hash.indexOf(':') + 1),
        isShown: !flags.includes('D'),
      });
  }
  await child.ended;
  return packets;
}

/** Decodes the keyframes. */
async function keyframeFaults(
  { path, video }: MediaInfo,
  least: number,
  maxPixels: number,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const input = inputArguments(path, { maxPixels, before: ['-copyts', '-skip_frame', 'nokey'] });
  const args = [...QUIET, ...input, '-map', `0:${video.index}`, ...FRAME_TIMES_OUTPUT, 'pipe:1'];
  const child = new FfmpegProcess('ffmpeg', args, {
    purpose: `verifying ${basename(path)}`,
    signal,
    // The copied tracks are still untrusted.
    access: { reads: path },
  });
  child.stdin.end();
  child.extra.resume();
  const { pts } = await readFrameTimestamps(child);
  try {
    await child.ended;
  } catch (error) {
    if (!(error instanceof FfmpegError)) throw error;
    return [`cannot be decoded (${error.message})`];
  }
  return pts.length >= least ? [] : [`has ${pts.length} keyframes instead of at least ${least}`];
}
