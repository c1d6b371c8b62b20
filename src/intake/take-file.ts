import { join, relative } from 'node:path';
import { codeOf, InputRejectedError, toError, TransientError, type RejectionCode } from '../domain/errors.ts';
import type { Job } from '../domain/job.ts';
import type { Recipe } from '../domain/recipe.ts';
import type { SeenFile } from '../domain/seen-file.ts';
import { isTransientDatabaseError } from '../domain/transient-errors.ts';
import type { VideoShape } from '../domain/video-shape.ts';
import { describeWriter } from '../lib/process/file-writers.ts';
import { sha256File } from '../lib/sha256-file.ts';
import type { Logger } from '../observability/log-entry.ts';
import { whyUnfinished } from './container-end.ts';
import { queuedMessage, skippedMessage } from './enqueued-message.ts';
import { signatureOf, type FoundFile } from './find-files.ts';
import type { SeenFileLedger, SettledFile } from './known-files.ts';
import { recipeForFile, type RecipeRules } from './recipe-for-file.ts';
import { OPEN_FOR_WRITING, secondLookMs } from './stability.ts';

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

/** Why a file is not processed yet or at all. */
interface Reason {
  readonly code: string;
  readonly message: string;
}

/**
 * Queues a settled file, or stores why it is rejected. A file that changes meanwhile is left for a later scan, and so is one
 * that a process has open for writing. A file that may be incomplete gets a second look before it is queued or rejected.
 *
 * @throws TransientError or a transient database error, which is not the fault of the file; the next scan retries
 */
export async function takeFile(
  file: SettledFile,
  { rules, settleMs }: { readonly rules: RecipeRules; readonly settleMs: number },
  context: TakeContext,
  signal: AbortSignal,
): Promise<void> {
  const isSecondLook = context.now() - file.sinceAtMs >= secondLookMs(settleMs);
  const waitForSecondLook = (reason: Reason): void => waitFor(file, reason, secondLookMs(settleMs), context);
  try {
    if (file.unusable !== undefined) throw file.unusable;
    const writer = await describeWriter(file.path);
    if (writer !== null) {
      waitForWriter(file, writer, context);
      return;
    }
    const doubt = await whyUnfinished(file.path);
    if (doubt !== null && !isSecondLook) {
      waitForSecondLook(doubt);
      return;
    }
    const request = await prepare(file, rules, context, signal);
    if (request === null) return;
    if (doubt !== null)
      context.log.info(`${nameOf(file, context)} ${doubt.message}; processing what is there`);
    await enqueue(request, context);
    context.seenFiles.putAll([rowOf(file, 'taken', { atMs: context.now() })]);
  } catch (error) {
    if (signal.aborted || codeOf(error) === 'ENOENT') return; // Closed, or the file is gone.
    if (error instanceof TransientError || isTransientDatabaseError(error)) throw error;
    const why = await context.whyMissing();
    if (why !== null) throw new TransientError('FOLDER_MISSING', why, { cause: error });
    if (isDoubtful(error) && !isSecondLook) waitForSecondLook(error);
    // No file may stop the files after it.
    else await reject(file, toError(error), context);
  }
}

/** Whether the rest of a copy may make a rejected file usable. */
function isDoubtful(error: unknown): error is InputRejectedError {
  return error instanceof InputRejectedError && !FINAL.has(error.code);
}

const FINAL: ReadonlySet<RejectionCode> = new Set<RejectionCode>([
  'BAD_RECIPE',
  'NAME_NOT_UTF8',
  'NOT_A_REGULAR_FILE',
  'SYMBOLIC_LINK',
]);

/** Leaves a file for a scan after the process that writes it has closed it; the settling time starts over. */
function waitForWriter(file: SettledFile, writer: string, context: TakeContext): void {
  const message = `${writer} has it open for writing`;
  if (file.code !== OPEN_FOR_WRITING) context.log.info(`${nameOf(file, context)} waiting: ${message}`);
  context.seenFiles.putAll([
    rowOf(file, 'settling', { atMs: context.now(), code: OPEN_FOR_WRITING, message }),
  ]);
}

/** Leaves a file that may be incomplete for its second look; the state of its row says so after a restart, too. */
function waitFor(file: SettledFile, reason: Reason, totalMs: number, context: TakeContext): void {
  const { code, message } = reason;
  const leftMs = Math.max(0, file.sinceAtMs + totalMs - context.now());
  context.log.info(
    `${nameOf(file, context)} waiting: may be incomplete (${code}: ${message}); looking again in ${Math.ceil(leftMs / 1000)} s`,
  );
  context.seenFiles.putAll([rowOf(file, 'settling', { atMs: file.sinceAtMs, code, message })]);
}

function nameOf({ path }: FoundFile, { inputDir }: TakeContext): string {
  return relative(inputDir, path);
}

function rowOf(
  { path, signature }: FoundFile,
  state: SeenFile['state'],
  {
    atMs,
    code = null,
    message = null,
  }: { readonly atMs: number; readonly code?: string | null; readonly message?: string | null },
): SeenFile {
  return { path, signature, state, sinceAtMs: atMs, code, message };
}

/** Reads the recipe, the video headers and the fingerprint of a file; null if the file changed meanwhile. */
async function prepare(
  { path, signature }: FoundFile,
  rules: RecipeRules,
  { inputDir, outputDir, checkRecipe, probe, log }: TakeContext,
  signal: AbortSignal,
): Promise<FileToEnqueue | null> {
  const { recipe, ignored } = await recipeForFile(path, rules);
  if (ignored !== null) log.warn(`${relative(inputDir, path)}: ${ignored}`);
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
async function reject(file: SettledFile, error: Error, context: TakeContext): Promise<void> {
  const { seenFiles, onRejected, log, now } = context;
  const isRejected = error instanceof InputRejectedError;
  // What was found out about the bytes that were there before is not stored for those that are there now.
  if (file.unusable === undefined && (await signatureOf(file.path)) !== file.signature) return;
  const code = codeOf(error);
  const { message } = error;
  log.error(`${nameOf(file, context)} ${isRejected ? 'rejected' : 'cannot be queued'} (${code}): ${message}`);
  seenFiles.putAll([rowOf(file, 'rejected', { atMs: now(), code, message })]);
  if (isRejected) await onRejected(file.path, error);
}
