import { join, relative } from 'node:path';
import { codeOf, InputRejectedError, toError, TransientError } from '../domain/errors.ts';
import type { Job } from '../domain/job.ts';
import type { Recipe } from '../domain/recipe.ts';
import { isTransientDatabaseError } from '../domain/transient-errors.ts';
import type { VideoShape } from '../domain/video-shape.ts';
import { sha256File } from '../lib/sha256-file.ts';
import type { Logger } from '../observability/log-entry.ts';
import { queuedMessage, skippedMessage } from './enqueued-message.ts';
import { signatureOf, type FoundFile } from './find-files.ts';
import type { SeenFileLedger } from './known-files.ts';
import { recipeForFile, type RecipeRules } from './recipe-for-file.ts';

export interface FileToEnqueue {
  readonly sourcePath: string;
  readonly outputPath: string;
  readonly fingerprint: string;
  readonly recipe: Recipe;
  readonly video: VideoShape;
}

/** What taking a file needs. */
export interface TakeContext {
  readonly inputDir: string;
  readonly outputDir: string;
  readonly seenFiles: SeenFileLedger;
  /** Queues a file; `created` is false if a job with this content and recipe exists. */
  readonly enqueue: (file: FileToEnqueue) => { readonly job: Job; readonly created: boolean };
  /** Throws InputRejectedError if the file is not a complete, readable video. */
  readonly probe: (path: string, signal: AbortSignal) => Promise<VideoShape>;
  /** Throws InputRejectedError BAD_RECIPE if the model of the recipe does not exist. */
  readonly checkRecipe: (recipe: Recipe) => Promise<void>;
  /** Describes the estimate for a new job, for the log. */
  readonly estimate: (job: Job) => Promise<string>;
  /** Called for a rejected file after its state has been stored. */
  readonly onRejected: (path: string, error: InputRejectedError) => Promise<void>;
  /** Why the input folder cannot be used until its disk is back; null if it can. */
  readonly whyMissing: () => Promise<string | null>;
  readonly log: Logger;
  readonly now: () => number;
}

/**
 * Queues a settled file, or stores why it is rejected. A file that changes meanwhile is left for a later scan.
 *
 * @throws TransientError or a transient database error, which is not the fault of the file; the next scan retries
 */
export async function takeFile(
  file: FoundFile,
  rules: RecipeRules,
  context: TakeContext,
  signal: AbortSignal,
): Promise<void> {
  const seen = { ...file, sinceAtMs: context.now() };
  try {
    const request = await prepare(file, rules, context, signal);
    if (request === null) return;
    await enqueue(request, context);
    context.seenFiles.putAll([{ ...seen, state: 'taken', code: null, message: null }]);
  } catch (error) {
    if (signal.aborted || codeOf(error) === 'ENOENT') return; // Closed, or the file is gone.
    if (error instanceof TransientError || isTransientDatabaseError(error)) throw error;
    const why = await context.whyMissing();
    if (why !== null) throw new TransientError('FOLDER_MISSING', why, { cause: error });
    // No file may stop the files after it.
    await reject(seen, toError(error), context);
  }
}

/** Reads the recipe, the video headers and the fingerprint of a file; null if the file changed meanwhile. */
async function prepare(
  { path, signature }: FoundFile,
  rules: RecipeRules,
  { inputDir, outputDir, checkRecipe, probe }: TakeContext,
  signal: AbortSignal,
): Promise<FileToEnqueue | null> {
  const recipe = await recipeForFile(path, rules);
  await checkRecipe(recipe);
  const video = await probe(path, signal);
  const fingerprint = await sha256File(path, signal);
  if ((await signatureOf(path)) !== signature) return null;
  const outputPath = join(outputDir, relative(inputDir, path));
  return { sourcePath: path, outputPath, fingerprint, recipe, video };
}

async function enqueue(request: FileToEnqueue, context: TakeContext): Promise<void> {
  const { inputDir, log } = context;
  const { sourcePath, outputPath } = request;
  const { job, created } = context.enqueue(request);
  if (!created) {
    log.info(skippedMessage(sourcePath, job, inputDir));
    return;
  }
  const estimate = await context.estimate(job);
  log.info(queuedMessage(relative(inputDir, sourcePath), { job, outputPath, estimate }));
}

/** Stores why a file cannot be queued, so that it is checked again only when it changes. */
async function reject(
  seen: FoundFile & { readonly sinceAtMs: number },
  error: Error,
  { inputDir, seenFiles, onRejected, log }: TakeContext,
): Promise<void> {
  const isRejected = error instanceof InputRejectedError;
  const code = codeOf(error);
  const { message } = error;
  const what = isRejected ? 'rejected' : 'cannot be queued';
  log.error(`${relative(inputDir, seen.path)} ${what} (${code}): ${message}`);
  seenFiles.putAll([{ ...seen, state: 'rejected', code, message }]);
  if (isRejected) await onRejected(seen.path, error);
}
