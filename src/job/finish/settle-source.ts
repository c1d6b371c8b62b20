import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { InputRejectedError, toError, VerificationError } from '../../domain/errors.ts';
import { imagesIn } from '../../domain/fingerprint.ts';
import { isOfRun } from '../../domain/job.ts';
import { isOfSequence } from '../../domain/recipe.ts';
import { failPoint } from '../../lib/fail-point.ts';
import { placeOf, shownName, splitPlace } from '../../lib/byte-name.ts';
import { isMissingFile } from '../../lib/file-errors.ts';
import { assertSameFile, readFileSignature } from '../../lib/file-signature.ts';
import { signatureOfImages } from '../../lib/image-sequence.ts';
import { describeRecentWriter, writerOf } from '../../lib/process/file-writers.ts';
import { sha256File } from '../../lib/sha256-file.ts';
import { withoutFullStop } from '../../lib/without-full-stop.ts';
import { syncFolder } from '../../workspace/durable-file.ts';
import {
  discardedPlace,
  discardFolder,
  moveFolderAside,
  removeDiscarded,
} from '../../workspace/settle-folder.ts';
import { moveAside } from '../../workspace/move-aside.ts';
import type { JobContext } from '../job-context.ts';
import { assertUnchanged } from '../prepare/assert-unchanged.ts';
import type { PublishedOutput } from './publish-output.ts';
import { settleSpeech, speechBeside, speechLeftBehind } from './settle-speech.ts';

/**
 * Moves or deletes the source of a published job, and the speech beside it, where the settings ask for it; by default the source stays untouched.
 * It also stays when the output is missing or differs from the verified one, when the source is not the file that was read, is still
 * being written, or is damaged: then the source may be the only good copy. That is a warning, and the job is done all the
 * same. Repeating this after a crash is safe.
 *
 * @param output null where the report of the job cannot be read
 */
export async function settleSource(context: JobContext, output: PublishedOutput | null): Promise<void> {
  const { home, job, settings, log, signal } = context;
  if (isOfRun(job) || settings.output.source === 'keep') return;
  let isSettling = false;
  try {
    const isSequence = isOfSequence(job.recipe);
    if (isSequence) await removeDiscarded(home.id, job.sourcePath);
    // Already settled by a worker that died right after, or removed by a person.
    if (!existsSync(job.sourcePath)) {
      const left = await speechLeftBehind(job);
      if (left !== null) await settleSpeech(context, left);
      return;
    }
    const speech = await speechBeside(job);
    const place = await placeOf(job.sourcePath);
    const sign = isSequence ? signatureOfImages(place) : readFileSignature(job.sourcePath);
    const source = { path: job.sourcePath, signature: await sign };
    await assertReplaceable(context, output);
    failPoint('source.before-settling');
    // Checking takes minutes; another file may have the name by now.
    if (!isSequence) await assertSameFile(source);
    isSettling = true;
    const finished = join(home.root, 'finished');
    if (isSequence && settings.output.source === 'delete')
      await discardFolder(home.id, source, await imagesIn(job.sourcePath));
    else if (isSequence) await moveFolderAside(source, finished, String(job.id));
    else if (settings.output.source === 'delete') {
      await rm(place);
      await syncFolder(splitPlace(place).folder);
    } else await moveAside(home.id, source, finished, String(job.id));
    if (speech !== null) await settleSpeech(context, speech);
    failPoint('source.settled');
  } catch (error) {
    // Stopped meanwhile: the job is not finished, and its next run settles the source.
    signal.throwIfAborted();
    const what = await describeSource(context, isSettling && !isMissingFile(error));
    log.warn(`${what}: ${withoutFullStop(toError(error).message)}`);
  }
}

/** Where the source is after an error. @param isSettling whether it may have been moved or deleted before the error */
async function describeSource({ home, job, settings }: JobContext, isSettling: boolean): Promise<string> {
  const discarded = await discardedPlace(home.id, job.sourcePath);
  if (existsSync(discarded))
    return `the source was not deleted completely, and what is left of it is in ${shownName(discarded)}`;
  if (existsSync(job.sourcePath)) return 'the source is kept';
  const settled = settings.output.source === 'delete' ? 'deleted' : 'moved';
  return isSettling
    ? `the source was ${settled}, but may reappear after a power cut`
    : `the source was not ${settled}`;
}

/** Checks that the source is no longer needed. @throws Error with the reason why it may still be */
async function assertReplaceable({ job, signal }: JobContext, output: PublishedOutput | null): Promise<void> {
  if (output === null) throw new VerificationError('the report of the job cannot be read.');
  if (output.sourceDamage !== null)
    throw new InputRejectedError(
      'DAMAGED',
      `${basename(job.sourcePath)} may still be needed: ${output.sourceDamage}.`,
    );
  await assertAsVerified(output, signal);
  await assertUnchanged(job, signal);
  await assertClosed(job);
}

async function assertClosed({ sourcePath, recipe }: JobContext['job']): Promise<void> {
  const name = basename(sourcePath);
  if (isOfSequence(recipe)) {
    for (const image of await imagesIn(sourcePath))
      if ((await describeRecentWriter(join(sourcePath, image))) !== null)
        throw new VerificationError(`a process has ${image} in ${name} open for writing.`);
    return;
  }
  const speech = recipe.pipeline === 'lip-sync' ? recipe.audio : undefined;
  for (const path of speech === undefined ? [sourcePath] : [sourcePath, speech]) {
    const writer = await writerOf(path);
    if (writer !== null)
      throw new VerificationError(`process ${writer} has ${basename(path)} open for writing.`);
  }
}

async function assertAsVerified({ path, sha256 }: PublishedOutput, signal: AbortSignal): Promise<void> {
  let found: string;
  try {
    found = await sha256File(path, signal);
  } catch (error) {
    if (!isMissingFile(error)) throw error;
    throw new VerificationError(`${basename(path)} is no longer in ${dirname(path)}.`, { cause: error });
  }
  if (found !== sha256) throw new VerificationError(`${path} was changed after it was verified.`);
}
