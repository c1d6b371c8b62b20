import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FfmpegError } from '../../domain/errors.ts';
import type { MediaInfo, OtherStreamInfo } from '../../domain/media-info.ts';
import { inputArguments, QUIET_LENIENT } from '../ffmpeg/ffmpeg-arguments.ts';
import { runForText } from '../ffmpeg/run-for-text.ts';
import { isMatroska, type StreamFate, type StreamPlan } from './stream-plan.ts';

/**
 * Adapts audio tracks that are copied to Matroska, so that they are heard as in the source: against the delay that ffmpeg
 * does not write back, and without the packets that an edit list of MP4 hides.
 *
 * @param trialPath file that may be written; it is removed again
 */
export async function fitToMatroska(
  source: MediaInfo,
  plan: StreamPlan,
  trialPath: string,
  signal?: AbortSignal,
): Promise<StreamPlan> {
  if (!isMatroska(plan.container)) return plan;
  const fates: StreamFate[] = [];
  for (const fate of plan.fates) {
    const isCopied = fate.stream.kind === 'audio' && fate.codec === 'copy';
    fates.push(isCopied ? await fitTrack(source, fate, trialPath, signal) : fate);
  }
  return { ...plan, fates };
}

async function fitTrack(
  source: MediaInfo,
  fate: StreamFate,
  trialPath: string,
  signal: AbortSignal | undefined,
): Promise<StreamFate> {
  const { stream, movedSeconds = 0 } = fate;
  const hidden = hidesPackets(source) ? await hiddenPackets(source, stream, signal) : 0;
  const shift = mayHaveDelay(source, stream) ? await muxerShift(source, stream, trialPath, signal) : 0;
  return {
    ...fate,
    // The last hidden packet is kept: without it, the first shown one would be decoded incompletely.
    ...(hidden > 1 ? { filter: `noise=drop='lt(n,${hidden - 1})'` } : {}),
    ...(Math.abs(shift) < LEAST_SHIFT_SECONDS ? {} : { movedSeconds: movedSeconds - shift }),
  };
}

/** Whether an edit list of a source may hide packets. */
export function hidesPackets({ container }: MediaInfo): boolean {
  return container.includes('mp4');
}

function mayHaveDelay({ container }: MediaInfo, { codec }: OtherStreamInfo): boolean {
  return codec === 'opus' || container.includes('matroska');
}

/** Matroska rounds timestamps to this. */
const LEAST_SHIFT_SECONDS = 0.001;
/** Keeps the timestamps of the trial positive. */
const OFFSET_SECONDS = 10;

/**
 * Seconds by which the Matroska muxer moves a track, found by muxing its first packet. ffmpeg reads timestamps without
 * the delay that Matroska stores for a codec such as Opus, and version 5.1 writes them back without adding it.
 */
async function muxerShift(
  source: MediaInfo,
  { index }: OtherStreamInfo,
  trialPath: string,
  signal: AbortSignal | undefined,
): Promise<number> {
  const offset = OFFSET_SECONDS - source.startSeconds;
  const args = [
    ...[...QUIET_LENIENT, '-y', '-copyts', ...inputArguments(source.path)],
    ...['-map', `0:${index}`, '-c', 'copy', '-frames', '1', '-output_ts_offset', offset.toFixed(6)],
    ...['-f', 'matroska', `file:${trialPath}`],
  ];
  try {
    const access = { reads: source.path, writesInto: dirname(trialPath) };
    await runForText('ffmpeg', args, { purpose: 'muxing one packet', signal, access, stallMs: STALL_MS });
    const [before] = await firstPackets(source.path, index, '%+#1', signal);
    const [after] = await firstPackets(trialPath, 0, '%+#1', signal);
    return before === undefined || after === undefined ? 0 : after.at - before.at - offset;
  } catch (error) {
    // The track has no packet, or cannot be muxed; joining finds out which.
    if (!(error instanceof FfmpegError)) throw error;
    return 0;
  } finally {
    await rm(trialPath, { force: true });
  }
}

/** Number of packets at the start of a track that are hidden; 0 if they cannot be read. */
async function hiddenPackets(
  { path, startSeconds }: MediaInfo,
  { index }: OtherStreamInfo,
  signal: AbortSignal | undefined,
): Promise<number> {
  const interval = `%${(startSeconds + 1).toFixed(6)}`;
  try {
    const packets = await firstPackets(path, index, interval, signal);
    const shown = packets.findIndex(({ isHidden }) => !isHidden);
    return shown === -1 ? packets.length : shown;
  } catch (error) {
    // The source may be on a slow disk; the verification finds out whether hidden packets are heard.
    if (!(error instanceof FfmpegError)) throw error;
    return 0;
  }
}

/** A track without packets lets ffmpeg read the whole file in vain. */
const STALL_MS = 20_000;

/** The packets of a track in an interval of ffprobe that have a timestamp. */
async function firstPackets(
  path: string,
  index: number,
  interval: string,
  signal: AbortSignal | undefined,
): Promise<{ at: number; isHidden: boolean }[]> {
  const request = ['-select_streams', String(index), '-read_intervals', interval];
  const entries = ['-show_entries', 'packet=pts_time,flags', '-of', 'csv=p=0'];
  const text = await runForText(
    'ffprobe',
    ['-loglevel', 'quiet', ...request, ...entries, ...inputArguments(path)],
    { purpose: 'reading the first packets of a track', signal, access: { reads: path }, stallMs: STALL_MS },
  );
  return text
    .split('\n')
    .map((line) => line.split(','))
    .map(([at = '', flags = '']) => ({ at: Number.parseFloat(at), isHidden: flags.includes('D') }))
    .filter(({ at }) => !Number.isNaN(at));
}
