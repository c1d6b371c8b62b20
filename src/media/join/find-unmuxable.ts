import { FfmpegError } from '../../domain/errors.ts';
import type { MediaInfo } from '../../domain/media-info.ts';
import { isAttachedCover } from './attached-cover.ts';
import { inputArguments, QUIET_LENIENT } from '../ffmpeg/ffmpeg-arguments.ts';
import { readPacketTimes } from '../index/packet-times.ts';
import { runForText } from '../ffmpeg/run-for-text.ts';
import { otherStreamArguments, type StreamPlan } from './stream-plan.ts';

/**
 * The plan without the tracks that the container does not take, each tried alone. A broken audio track never fails a
 * job (A10): it is left out, and reported with what ffmpeg said of it.
 */
export async function withoutUnmuxable(
  source: MediaInfo,
  plan: StreamPlan,
  signal?: AbortSignal,
): Promise<StreamPlan> {
  const fates = [];
  const sounds = await readPacketTimes(source.path, 'looking for audio', signal);
  for (const fate of plan.fates) {
    const { stream, codec } = fate;
    const isSilent = stream.kind === 'audio' && !sounds.has(stream.index);
    const reason =
      codec === null || isAttachedCover(stream, plan)
        ? null
        : isSilent
          ? 'there is no audio in it'
          : await whyNotMuxable(source, { ...plan, fates: [fate] }, signal);
    fates.push(reason === null ? fate : { ...fate, codec: null, reason });
  }
  return { ...plan, fates };
}

async function whyNotMuxable(
  source: MediaInfo,
  alone: StreamPlan,
  signal: AbortSignal | undefined,
): Promise<string | null> {
  const container = alone.container === 'matroska' ? [] : ['-movflags', 'frag_keyframe+empty_moov'];
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
      purpose: 'trying a track alone',
      signal,
      access: { reads: source.path },
    });
    return null;
  } catch (error) {
    if (!(error instanceof FfmpegError)) throw error;
    // Before the muxer's words may stand what a decoder said of damaged images.
    const said = error.stderrTail.split('\n').find((line) => !/^\[(h264|hevc|mpeg|vp\d|av1)/.test(line));
    return `it cannot be copied (${said ?? error.message})`;
  }
}
