import { FfmpegError } from '../domain/errors.ts';
import type { MediaInfo } from '../domain/media-info.ts';
import { isAttachedCover } from './cover-pictures.ts';
import { inputArguments, QUIET_LENIENT } from './ffmpeg-arguments.ts';
import { runForText } from './run-ffmpeg.ts';
import { otherStreamArguments, type StreamPlan } from './stream-plan.ts';

/**
 * The plan without the tracks that the container does not take, each tried alone. A broken sound track never fails a
 * job (A10): it is left out, and reported with what ffmpeg said of it.
 */
export async function withoutUnmuxable(
  source: MediaInfo,
  plan: StreamPlan,
  signal?: AbortSignal,
): Promise<StreamPlan> {
  const fates = [];
  for (const fate of plan.fates) {
    const reason =
      fate.codec === null || isAttachedCover(fate.stream, plan)
        ? null
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
      reach: { reads: source.path },
    });
    return null;
  } catch (error) {
    if (!(error instanceof FfmpegError)) throw error;
    return `it cannot be copied (${error.stderrTail.split('\n')[0] ?? error.message})`;
  }
}
