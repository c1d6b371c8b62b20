import { existsSync } from 'node:fs';
import { extname, parse, join } from 'node:path';
import type { JobState } from '../domain/job.ts';
import type { Database } from './sqlite.ts';
import type { NewJob } from './new-job.ts';

/** The output is Matroska if the source's container cannot hold all tracks: `clip.avi` becomes `clip.avi.mkv`. */
const MATROSKA = '.mkv';

type Request = Pick<NewJob, 'origin' | 'sourcePath' | 'outputPath'> & {
  readonly recipe: string;
  /** The job that the path is for; null for a new one. */
  readonly id: number | null;
};

/**
 * Creates a function that returns the path that a job may write to: the requested one, or `clip (2).mp4` and so on if
 * another video has that name or will get it. A job may replace the output of an earlier version of the same source in
 * `input/`, and for `add` of the same source with the same recipe. `run` always gets the path it requests.
 */
export function createFreeOutput(db: Database): (request: Request) => string {
  const selectRivals = db.prepare<
    Request & { longer: string; shorter: string },
    { state: JobState; outputPath: string }
  >(
    `SELECT state, output_path AS outputPath FROM jobs
     WHERE output_path IN (@outputPath, @longer, @shorter) AND state <> 'cancelled' AND id IS NOT @id
       AND NOT (source_path = @sourcePath AND (@origin = 'watch' OR recipe = @recipe))`,
  );
  const isTaken = (request: Request): boolean => {
    const { outputPath } = request;
    const longer = outputPath + MATROSKA;
    const shorter = extname(outputPath) === MATROSKA ? outputPath.slice(0, -MATROSKA.length) : outputPath;
    return selectRivals
      .all({ ...request, longer, shorter })
      .some((rival) => rival.state !== 'done' || existsSync(rival.outputPath));
  };
  return (request) => {
    if (request.origin === 'run') return request.outputPath;
    const { dir, name, ext } = parse(request.outputPath);
    let outputPath = request.outputPath;
    for (let number = 2; isTaken({ ...request, outputPath }); number++)
      outputPath = join(dir, `${name} (${number})${ext}`);
    return outputPath;
  };
}
