import type { MediaInfo, OtherStreamInfo } from '../../domain/media-info.ts';
import { inputArguments, QUIET_LENIENT } from '../ffmpeg/ffmpeg-arguments.ts';
import { runForText } from '../ffmpeg/run-for-text.ts';
import { COVER_TYPES, isAttachedCover } from './attached-cover.ts';
import type { StreamPlan } from './stream-plan.ts';

/** A cover image that was written to a file. */
export interface ExtractedCover {
  readonly path: string;
  readonly stream: OtherStreamInfo;
}

/** Copies the cover images of a plan to the files `PREFIX0`, `PREFIX1` and so on. */
export async function extractCovers(
  source: MediaInfo,
  plan: StreamPlan,
  to: { readonly prefix: string; readonly folder: string },
  signal?: AbortSignal,
): Promise<ExtractedCover[]> {
  const covers = plan.fates
    .filter(({ stream, codec }) => codec !== null && isAttachedCover(stream, plan))
    .map(({ stream }, number) => ({ stream, path: `${to.prefix}${number}` }));
  for (const { stream, path } of covers) {
    const request = ['-map', `0:${stream.index}`, '-c', 'copy', '-frames:v', '1', '-f', 'image2pipe'];
    await runForText(
      'ffmpeg',
      [...QUIET_LENIENT, '-y', ...inputArguments(source.path), ...request, `file:${path}`],
      {
        purpose: 'extracting a cover image',
        signal,
        access: { reads: source.path, writesInto: to.folder },
      },
    );
  }
  return covers;
}

/** Arguments that attach the cover images, with their original names, after the other attachments of the plan. */
export function coverArguments(covers: readonly ExtractedCover[], plan: StreamPlan): string[] {
  const before = plan.fates.filter(
    ({ stream, codec }) => stream.kind === 'attachment' && codec !== null,
  ).length;
  return covers.flatMap(({ stream, path }, i) => {
    const { mime, extension } = COVER_TYPES[stream.codec] ?? {
      mime: 'application/octet-stream',
      extension: 'bin',
    };
    const tag = `-metadata:s:t:${before + i}`;
    return [
      ...['-attach', `file:${path}`, tag, `mimetype=${mime}`],
      ...[tag, `filename=${stream.fileName ?? `cover${i === 0 ? '' : i}.${extension}`}`],
    ];
  });
}
