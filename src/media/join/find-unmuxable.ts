import { FfmpegError } from '../../domain/errors.ts';
import type { MediaInfo } from '../../domain/media-info.ts';
import { inputArguments, QUIET_LENIENT } from '../ffmpeg/ffmpeg-arguments.ts';
import { readPacketTimes } from '../index/packet-times.ts';
import { runForText } from '../ffmpeg/run-for-text.ts';
import { isMapped, otherStreamArguments, type StreamPlan } from './stream-plan.ts';

/**
 * Drops the tracks that cannot be written to the container, by muxing each one alone. A broken audio track never fails a
 * job: it is dropped, and the report quotes the error of ffmpeg.
 */
export async function withoutUnmuxable(
  source: MediaInfo,
  plan: StreamPlan,
  signal?: AbortSignal,
): Promise<StreamPlan> {
  const fates = [];
  const tracks = source.others.filter(({ kind }) => kind === 'audio').map(({ index }) => index);
  const audio = await readPacketTimes(source.path, new Set(tracks), { signal });
  for (const fate of plan.fates) {
    const { stream } = fate;
    const isEmpty = stream.kind === 'audio' && !audio.has(stream.index);
    const reason = !isMapped(fate, plan)
      ? null
      : isEmpty
        ? 'empty track'
        : await whyNotMuxable(source, { ...plan, fates: [fate] }, signal);
    fates.push(reason === null ? fate : { ...fate, codec: null, reason });
  }
  return { ...plan, fates };
}

/** Why the container rejects a track; null if it accepts it. */
async function whyNotMuxable(
  source: MediaInfo,
  alone: StreamPlan,
  signal: AbortSignal | undefined,
): Promise<string | null> {
  const container =
    alone.container === 'matroska'
      ? []
      : ['-strict', 'experimental', '-movflags', 'frag_keyframe+empty_moov'];
  const args = [
    ...QUIET_LENIENT,
    '-copyts',
    ...inputArguments(source.path),
    ...otherStreamArguments(alone, 0, 0),
    '-y',
    ...container,
    '-f',
    alone.container,
    '/dev/null',
  ];
  try {
    await runForText('ffmpeg', args, {
      purpose: 'muxing one track alone',
      signal,
      access: { reads: source.path },
    });
    return null;
  } catch (error) {
    if (!(error instanceof FfmpegError)) throw error;
    // Decoder errors about damaged frames may precede the error of the muxer.
    const said = error.stderrTail.split('\n').find((line) => !/^\[(h264|hevc|mpeg|vp\d|av1)/.test(line));
    return `cannot be copied (${said || error.message})`;
  }
}
