import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { codeOf, InputRejectedError } from '../../domain/errors.ts';
import { fingerprintOf } from '../../domain/fingerprint.ts';
import type { Job } from '../../domain/job.ts';
import { isOfSequence, type Recipe } from '../../domain/recipe.ts';
import { isMissingFile } from '../../lib/file-errors.ts';

/**
 * Checks that the source, and the speech of a lip-sync job, are still the files that were queued, by reading them. Size and time are not enough: a program may
 * overwrite a file in place and set its time back.
 *
 * @param speechCopy the file that is read instead of the speech that the recipe names
 * @throws InputRejectedError SOURCE_MISSING, SOURCE_CHANGED or NOT_A_REGULAR_FILE
 */
export async function assertUnchanged(
  { sourcePath: path, fingerprint, recipe }: Pick<Job, 'sourcePath' | 'fingerprint' | 'recipe'>,
  signal: AbortSignal,
  speechCopy?: string,
): Promise<void> {
  const name = basename(path);
  const read =
    recipe.pipeline !== 'lip-sync' || speechCopy === undefined ? recipe : { ...recipe, audio: speechCopy };
  try {
    if (!isOfSequence(recipe) && !(await stat(path)).isFile()) {
      throw new InputRejectedError('NOT_A_REGULAR_FILE', `${name} is no longer a regular file.`);
    }
    if ((await fingerprintOf(path, read, signal)) === fingerprint) return;
  } catch (error) {
    if (isMissingFile(error)) {
      const gone = existsSync(path) ? speechNameOf(recipe) : null;
      throw new InputRejectedError(
        'SOURCE_MISSING',
        `${gone === null ? name : `${gone}, the speech of ${name},`} is gone; put it back to resume the job.`,
        { cause: error },
      );
    }
    // A sequence with a gap was complete when it was queued.
    if (codeOf(error) !== 'BAD_SEQUENCE') throw error;
  }
  const speech = speechNameOf(recipe);
  throw new InputRejectedError(
    'SOURCE_CHANGED',
    `${speech === null ? name : `${name} or its speech ${speech}`} was changed or replaced after it was queued.`,
  );
}

/** The file name of the speech of a lip-sync job; null for other jobs. */
function speechNameOf(recipe: Recipe): string | null {
  return recipe.pipeline === 'lip-sync' && recipe.audio !== undefined ? basename(recipe.audio) : null;
}
