import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { programVersion } from '../config/program-version.ts';
import { PRECISIONS, type Precision } from '../domain/job.ts';
import { describeCpuEngine } from './cpu-engine.ts';

/** Results of `framekiln bench precision`, each valid for one version of the program and one set of vector instructions. */
const Stored = z.record(
  z.string(),
  z.looseObject({ program: z.string(), instructionSet: z.string(), precision: z.enum(PRECISIONS) }),
);

export type StoredPrecisions = z.infer<typeof Stored>;

/** What was measured for each model, by its sha256; nothing if the file is missing or unreadable. */
export async function readPrecisions(path: string): Promise<StoredPrecisions> {
  try {
    return Stored.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return {};
  }
}

/** What results depend on beside the model. */
export function precisionConditions(): { readonly program: string; readonly instructionSet: string } {
  return { program: programVersion(), instructionSet: describeCpuEngine().instructionSets[0] ?? '' };
}

/** The precision for `auto` that was measured for a model; null if none was, or under other conditions. */
export async function measuredPrecision(path: string, sha256: string): Promise<Precision | null> {
  const found = (await readPrecisions(path))[sha256];
  const { program, instructionSet } = precisionConditions();
  return found?.program === program && found.instructionSet === instructionSet ? found.precision : null;
}
