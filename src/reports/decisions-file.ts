import { join } from 'node:path';
import type { Home } from '../config/home.ts';
import type { Job } from '../domain/job.ts';
import { makeFolder } from '../lib/make-folder.ts';
import { writeFileDurably } from '../workspace/durable-file.ts';

/**
 * Writes what was decided for a video to `.framekiln/reports/<job>.split-screen.json` or `<job>.lip-sync.json`.
 *
 * @param json see Decisions; for lip-sync, the box of the face that speaks in each frame
 */
export async function writeDecisions(
  home: Pick<Home, 'reportsDir'>,
  { id, recipe }: Pick<Job, 'id' | 'recipe'>,
  json: string,
): Promise<void> {
  makeFolder(home.reportsDir);
  const what = recipe.pipeline === 'lip-sync' ? 'lip-sync' : 'split-screen';
  await writeFileDurably(join(home.reportsDir, `${id}.${what}.json`), `${json}\n`, 'other-file');
}
