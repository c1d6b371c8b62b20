import { join } from 'node:path';
import type { Home } from '../config/home.ts';
import { makeFolder } from '../lib/make-folder.ts';
import { writeFileDurably } from '../workspace/durable-file.ts';

/** Writes what was decided for a split screen to `.framekiln/reports/<job>.split-screen.json`. @param json see Decisions */
export async function writeDecisions(
  home: Pick<Home, 'reportsDir'>,
  jobId: number,
  json: string,
): Promise<void> {
  makeFolder(home.reportsDir);
  await writeFileDurably(join(home.reportsDir, `${jobId}.split-screen.json`), `${json}\n`, 'other-file');
}
