import { basename } from 'node:path';
import type { MediaInfo, OtherStreamInfo } from '../../domain/media-info.ts';
import { inputArguments, QUIET_LENIENT } from '../ffmpeg/ffmpeg-arguments.ts';
import { FfmpegProcess } from '../ffmpeg/ffmpeg-process.ts';
import type { FrameIndex } from '../index/frame-index.ts';
import { LoudnessMeter } from './loudness-meter.ts';

/** Samples per second: enough for the loudness of speech. */
const RATE = 8000;
/** Deeper sounds are hum and wind. */
const LOWEST_HZ = 120;

/**
 * Decodes an audio track and measures its loudness while each frame is shown.
 *
 * @returns decibels below full scale, one for each frame; -Infinity where there is no audio
 */
export async function readLoudness(
  { path, startSeconds }: Pick<MediaInfo, 'path' | 'startSeconds'>,
  { index }: Pick<OtherStreamInfo, 'index'>,
  { pts, timeBase: { num, den } }: Pick<FrameIndex, 'pts' | 'timeBase'>,
  signal: AbortSignal,
): Promise<Float32Array> {
  // Without -copyts, ffmpeg counts time from the earliest timestamp of the file; the filter fills gaps with silence.
  const filter = `aresample=${RATE}:async=1:first_pts=0,highpass=f=${LOWEST_HZ}`;
  const output = ['-map', `0:${index}`, '-af', filter, '-ac', '1', '-f', 's16le', 'pipe:1'];
  const ffmpeg = new FfmpegProcess('ffmpeg', [...QUIET_LENIENT, ...inputArguments(path), ...output], {
    ...{ purpose: `decoding the audio of ${basename(path)}`, signal },
    access: { reads: path },
  });
  ffmpeg.stdin.end();
  ffmpeg.extra.resume();
  const meter = new LoudnessMeter(RATE);
  for await (const chunk of ffmpeg.stdout as AsyncIterable<Buffer>) {
    ffmpeg.touch();
    meter.add(chunk);
  }
  await ffmpeg.ended;
  const times = Array.from(pts, (at) => (at * num) / den - startSeconds);
  return Float32Array.from(times, (from, i) => meter.between(from, times[i + 1] ?? from));
}
