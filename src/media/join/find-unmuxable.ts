import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FfmpegError } from '../../domain/errors.ts';
import type { MediaInfo } from '../../domain/media-info.ts';
import { inputArguments, QUIET_LENIENT } from '../ffmpeg/ffmpeg-arguments.ts';
import { readPacketTimes } from '../index/packet-times.ts';
import { runForText } from '../ffmpeg/run-for-text.ts';
import { isAttachedCover } from './attached-cover.ts';
import { extractCovers } from './cover-art.ts';
import { isMapped, isMatroska, otherStreamArguments, type StreamPlan } from './stream-plan.ts';

/**
 * Drops the tracks that cannot be written to the container, by muxing each one alone. A broken audio track or cover image
 * never fails a job: it is dropped, and the report quotes the error of ffmpeg.
 *
 * @param trialPath file that may be written; it is removed again
 */
export async function withoutUnmuxable(
  source: MediaInfo,
  plan: StreamPlan,
  trialPath: string,
  signal?: AbortSignal,
): Promise<StreamPlan> {
  const fates = [];
  const tracks = source.others.filter(({ kind }) => kind === 'audio').map(({ index }) => index);
  const audio = await readPacketTimes(source.path, new Set(tracks), { signal });
  for (const fate of plan.fates) {
    const { stream } = fate;
    const isEmpty = stream.kind === 'audio' && !audio.has(stream.index);
    const alone = { ...plan, fates: [fate] };
    const reason = isEmpty
      ? 'empty track'
      : fate.codec !== null && isAttachedCover(stream, plan)
        ? await whyNotExtractable(source, alone, trialPath, signal)
        : isMapped(fate, plan)
          ? await whyNotMuxable(source, alone, signal)
          : null;
    fates.push(reason === null ? fate : { ...fate, codec: null, reason });
  }
  return { ...plan, fates };
}

/** Why a cover image cannot be read from the source; null if it can. */
async function whyNotExtractable(
  source: MediaInfo,
  alone: StreamPlan,
  trialPath: string,
  signal: AbortSignal | undefined,
): Promise<string | null> {
  const covers = { prefix: trialPath, folder: dirname(trialPath) };
  return whyFailing(alone, async () => {
    for (const { path } of await extractCovers(source, alone, covers, signal))
      await rm(path, { force: true });
  });
}

/** Why the container rejects a track; null if it accepts it. */
async function whyNotMuxable(
  source: MediaInfo,
  alone: StreamPlan,
  signal: AbortSignal | undefined,
): Promise<string | null> {
  const container = isMatroska(alone.container)
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
  const access = { reads: source.path };
  return whyFailing(alone, () =>
    runForText('ffmpeg', args, { purpose: 'muxing one track alone', signal, access }),
  );
}

async function whyFailing(alone: StreamPlan, attempt: () => Promise<unknown>): Promise<string | null> {
  try {
    await attempt();
    return null;
  } catch (error) {
    if (!(error instanceof FfmpegError)) throw error;
    // Decoder errors about damaged frames may precede the error of the muxer.
    const said = error.stderrTail.split('\n').find((line) => !/^\[(h264|hevc|mpeg|vp\d|av1)/.test(line));
    const done = alone.fates.every(({ codec }) => codec === 'copy') ? 'copied' : 'converted';
    return `cannot be ${done} (${said || error.message})`;
  }
}
