import { join } from 'node:path';
import { toError } from '../../domain/errors.ts';
import type { Crop } from '../../domain/recipe.ts';
import { makeFolder } from '../../lib/make-folder.ts';
import { withoutFullStop } from '../../lib/without-full-stop.ts';
import { previewFrame } from '../../media/preview/preview-frame.ts';
import { writeFileDurably } from '../../workspace/durable-file.ts';
import type { JobContext } from '../job-context.ts';
import type { PreparedJob } from '../prepare/prepared-job.ts';

/** Thumbnails are made of this many people at most: those who are seen in most frames. */
const MAX_THUMBNAILS = 24;
const MAX_WIDTH = 160;
const MEGAPIXEL = 1_000_000;

/** The part of the decisions that is read here (see pipelines/dual-face/direction/decisions.ts). */
interface PersonSeen {
  readonly id: number;
  readonly frames: number;
  readonly look: { readonly frame: number; readonly crop: Crop };
  readonly thumbnail?: string;
}

/**
 * Writes a thumbnail of each person of a split screen beside the report, and adds its name to the decisions. They only help
 * to correct a split screen: if one cannot be made, the job goes on without it.
 */
export async function makeThumbnails(
  { home, job, lease, queue, settings, signal, log }: JobContext,
  { media, index }: Pick<PreparedJob, 'media' | 'index'>,
): Promise<void> {
  const json = queue.analyses.getDecisions(job.id);
  if (json === null || job.recipe.pipeline !== 'dual-face') return;
  const decisions = JSON.parse(json) as { readonly people: readonly PersonSeen[] };
  const wanted = [...decisions.people].sort((a, b) => b.frames - a.frames).slice(0, MAX_THUMBNAILS);
  const names = new Map<number, string>();
  makeFolder(home.reportsDir);
  for (const { id, look } of wanted) {
    try {
      const image = await previewFrame({
        path: media.path,
        ...placeOf(look.frame, index),
        crop: look.crop,
        maxWidth: MAX_WIDTH,
        maxPixels: settings.limits.inputMegapixels * MEGAPIXEL,
        signal,
      });
      if (image.length === 0) continue;
      const name = `${job.id}.person-${id}.jpg`;
      await writeFileDurably(join(home.reportsDir, name), image);
      names.set(id, name);
    } catch (error) {
      signal.throwIfAborted();
      log.warn(`no thumbnail of person ${id}: ${withoutFullStop(toError(error).message)}`);
    }
  }
  const people = decisions.people.map((person) => {
    const thumbnail = names.get(person.id);
    return thumbnail === undefined ? person : { ...person, thumbnail };
  });
  queue.analyses.setDecisions(lease, JSON.stringify({ ...decisions, people }, null, 2));
}

/** Halfway from the frame before, so that rounding cannot skip the frame. */
function placeOf(
  frame: number,
  { pts, timeBase: { num, den } }: PreparedJob['index'],
): { readonly atSeconds: number | null; readonly isTimestamp: true } {
  const at = pts[frame] ?? 0;
  const before = pts[frame - 1] ?? at;
  return { atSeconds: frame === 0 ? null : (((at + before) / 2) * num) / den, isTimestamp: true };
}
