import { basename, join } from 'node:path';
import { codeOf, InputRejectedError, toError, TransientError } from '../domain/errors.ts';
import { fingerprintOf } from '../domain/fingerprint.ts';
import type { Job } from '../domain/job.ts';
import type { Recipe } from '../domain/recipe.ts';
import { isRejectedForContent, secondLookMs } from '../domain/second-look.ts';
import { isTransientDatabaseError, isUnreachable } from '../domain/transient-errors.ts';
import { describeLargeEnough, fitToSource, isLargeEnough } from '../domain/target-size.ts';
import type { VideoShape } from '../domain/video-shape.ts';
import { hasVideoExtension } from '../domain/video-extensions.ts';
import { nameInInput } from '../lib/byte-name.ts';
import { isMissingFile } from '../lib/file-errors.ts';
import { readFileSignature } from '../lib/file-signature.ts';
import { describeRecentWriter } from '../lib/process/file-writers.ts';
import { listSequence } from '../lib/image-sequence.ts';
import type { Logger } from '../observability/log-entry.ts';
import { whyUnfinished, type Doubt } from './container-end.ts';
import { queuedMessage, skippedMessage } from './enqueued-message.ts';
import { signatureOf, signatureOfFileAlone, type FoundFile } from './find-files.ts';
import type { SeenFileLedger, SettledFile } from './known-files.ts';
import { recipeForFile, type RecipeRules } from './recipe-for-file.ts';
import { withSpeech } from './speech-beside.ts';
import { waitForSecondLook, waitForWriter, type Writer } from './wait-for-file.ts';

export interface FileToEnqueue {
  readonly sourcePath: string;
  readonly outputPath: string;
  readonly fingerprint: string;
  readonly recipe: Recipe;
  readonly video: VideoShape;
}

/** What is needed to queue or reject a file. */
export interface TakeContext {
  readonly inputDir: string;
  readonly outputDir: string;
  readonly seenFiles: SeenFileLedger;
  /** Queues a file; `created` is false if a job with this content and recipe exists. */
  readonly enqueue: (file: FileToEnqueue) => { readonly job: Job; readonly created: boolean };
  /** Throws InputRejectedError if the file is not a complete, readable video. */
  readonly probe: (file: Pick<FoundFile, 'path' | 'isSequence'>, signal: AbortSignal) => Promise<VideoShape>;
  /** Throws InputRejectedError BAD_RECIPE if the model of the recipe does not exist. */
  readonly checkRecipe: (recipe: Recipe) => Promise<void>;
  /** Describes the estimate for a new job, for the log; never rejects. */
  readonly estimate: (job: Job) => Promise<string>;
  /** Called after the log line of a new job. */
  readonly onQueued: (job: Job) => void;
  /** Called for a rejected file after its state has been stored. */
  readonly onRejected: (file: FoundFile, error: InputRejectedError) => Promise<void>;
  /** Why the input folder cannot be used until its disk is back; null if it can. */
  readonly whyMissing: () => Promise<string | null>;
  readonly log: Logger;
  readonly now: () => number;
}

/** The settings that apply to settled files. */
export interface TakeRules {
  readonly rules: RecipeRules;
  readonly settleMs: number;
  /** Whether a video that is large enough for its recipe gets no job. */
  readonly skipLarger: boolean;
}

/**
 * Queues a settled file, or stores why it is rejected. A file that changes meanwhile is left for a later scan, and so is one
 * that a process has open for writing. A file that may be incomplete gets a second look before it is queued or rejected.
 *
 * @throws TransientError, or an error of the database or of a network share that ends by itself; the next scan retries
 */
export async function takeFile(
  file: SettledFile,
  takeRules: TakeRules,
  context: TakeContext,
  signal: AbortSignal,
): Promise<void> {
  const unchangedMs = secondLookMs(takeRules.settleMs);
  const isSecondLook = context.now() - file.sinceAtMs >= unchangedMs;
  try {
    if (file.unusable !== undefined) throw file.unusable;
    const writer = await writerIn(file);
    const doubt =
      writer !== null ? null : file.isSequence === true ? MORE_MAY_COME : await whyUnfinished(file.path);
    if (writer !== null) waitForWriter(file, writer, context);
    else if (doubt !== null && !isSecondLook) {
      // Only a video is worth the wait; a letter or a photo has no end mark either.
      if (!promisesVideo(file)) await context.probe(file, signal);
      waitForSecondLook(file, doubt, unchangedMs, context);
    } else await take(file, doubt, takeRules, context, signal);
  } catch (error) {
    if (signal.aborted || codeOf(error) === 'ENOENT') return; // Closed, or the file is gone.
    if (error instanceof TransientError || isTransientDatabaseError(error) || isUnreachable(toError(error)))
      throw error;
    const why = await context.whyMissing();
    if (why !== null) throw new TransientError('FOLDER_MISSING', why, { cause: error });
    if (isRejectedForContent(error) && promisesVideo(file) && !isSecondLook)
      waitForSecondLook(file, error, unchangedMs, context);
    // No file may stop the files after it.
    else await reject(file, toError(error), context);
  }
}

/** A folder does not say how many images it will have. */
const MORE_MAY_COME: Doubt = {
  code: 'NO_END_MARK',
  message: 'may still receive images, because nothing marks the end of a folder of images',
};

/** Whether it promises a video, which may still be growing if it cannot be read as one. */
function promisesVideo({ path, isSequence = false }: SettledFile): boolean {
  return isSequence || hasVideoExtension(path);
}

/** A process that has the file, or an image of a sequence, open for writing; null if there is none. */
async function writerIn({ path, isSequence = false }: SettledFile): Promise<Writer | null> {
  if (!isSequence) return writerOfFile(path);
  for (const name of (await listSequence(path)).names) {
    const writer = await writerOfFile(join(path, name)).catch((error: unknown) => {
      // It is gone, or its name is not valid UTF-8, for which the folder is rejected.
      if (isMissingFile(error)) return null;
      throw error;
    });
    if (writer !== null) return writer;
  }
  return null;
}

async function writerOfFile(path: string): Promise<Writer | null> {
  const process = await describeRecentWriter(path);
  return process === null ? null : { process, what: 'it' };
}

async function take(
  file: SettledFile,
  doubt: Doubt | null,
  rules: TakeRules,
  context: TakeContext,
  signal: AbortSignal,
): Promise<void> {
  const request = await prepare(file, rules, context, signal);
  if (request === null) return;
  const { inputDir, seenFiles, log, now } = context;
  const { job, created } = context.enqueue(request);
  const { path, signature } = file;
  const takenSignature = signatureOfFileAlone(signature);
  seenFiles.putAll([
    { path, signature, takenSignature, state: 'taken', sinceAtMs: now(), code: null, message: null },
  ]);
  if (!created) {
    log.info(skippedMessage(path, job, inputDir));
    return;
  }
  const { outputPath } = request;
  const estimate = await context.estimate(job);
  log.info(queuedMessage(nameInInput(inputDir, path), { job, outputPath, estimate }));
  if (doubt?.code === 'CUT_OFF')
    log.warn(`${nameInInput(inputDir, path)} ${doubt.message}; processing what is there`);
  context.onQueued(job);
}

/**
 * Reads the recipe, the video headers and the fingerprint of a file.
 *
 * @returns null if the file or its speech changed meanwhile, if a process has the speech open for writing, or if the file needs no job
 */
async function prepare(
  file: SettledFile,
  { rules, skipLarger }: TakeRules,
  context: TakeContext,
  signal: AbortSignal,
): Promise<FileToEnqueue | null> {
  const { path, signature } = file;
  const { inputDir, outputDir, checkRecipe, probe, log } = context;
  const { recipe: found, ignored } = await recipeForFile(path, rules, file);
  if (ignored !== null) log.warn(`${nameInInput(inputDir, path)}: ${ignored}`);
  await checkRecipe(found);
  const recipe = await withSpeech(found, path, inputDir);
  const speech = recipe.pipeline === 'lip-sync' ? (recipe.audio ?? null) : null;
  const speechSignature = speech === null ? null : await readFileSignature(speech);
  const writer = speech === null ? null : await describeRecentWriter(speech);
  if (speech !== null && writer !== null) {
    waitForWriter(file, { process: writer, what: basename(speech) }, context);
    return null;
  }
  const video = await probe(file, signal);
  if (skipLarger && isLargeEnough(recipe, video)) {
    skip(file, describeLargeEnough(recipe, video), context);
    return null;
  }
  const fingerprint = await fingerprintOf(path, recipe, signal);
  if ((await signatureOf(path, inputDir)) !== signature) return null;
  // A speech that the recipe of a folder names is not part of the video's signature.
  if (speech !== null && (await readFileSignature(speech)) !== speechSignature) return null;
  const outputPath = join(outputDir, nameInInput(inputDir, path));
  return { sourcePath: path, outputPath, fingerprint, recipe: fitToSource(recipe, video), video };
}

/** Notes that a file needs no job; it is checked again if it changes, after a restart, and with other rules. */
function skip(
  { path, signature, takenSignature }: SettledFile,
  why: string,
  { inputDir, seenFiles, log, now }: TakeContext,
): void {
  log.info(`${nameInInput(inputDir, path)} ${why}`);
  const note = { code: 'LARGE_ENOUGH', message: `It ${why}.` };
  seenFiles.putAll([{ path, signature, takenSignature, state: 'taken', sinceAtMs: now(), ...note }]);
}

/** Stores why a file cannot be queued, so that it is checked again only when it changes. */
async function reject(
  file: SettledFile,
  error: Error,
  { inputDir, seenFiles, onRejected, log, now }: TakeContext,
): Promise<void> {
  const { path, signature, takenSignature, unusable } = file;
  // The reason is about bytes that are no longer there.
  if (unusable === undefined && (await signatureOf(path, inputDir)) !== signature) return;
  const isRejected = error instanceof InputRejectedError;
  const code = codeOf(error);
  const { message } = error;
  const what = isRejected ? 'rejected' : 'cannot be queued';
  log.error(`${nameInInput(inputDir, path)} ${what} (${code}): ${message}`);
  seenFiles.putAll([{ path, signature, takenSignature, state: 'rejected', sinceAtMs: now(), code, message }]);
  if (isRejected) await onRejected(file, error);
}
