import { z } from 'zod';
import type { Estimate } from '../domain/estimate.ts';
import type { Job } from '../domain/job.ts';
import type { Recipe } from '../domain/recipe.ts';
import type { SeenFile } from '../domain/seen-file.ts';
import { nameInInput } from '../lib/byte-name.ts';
import { percentDone } from '../observability/format-progress.ts';
import { LONG_JOB, type JobEvent } from '../queue/event-store.ts';
import type { MediaReport } from '../reports/media-report.ts';

/** A time in ISO 8601, UTC. */
const Instant = z.string().nullable();

/** One job in `status --json` and on the page. Fields are added over time, never renamed or removed. */
export const JobReport = z.object({
  id: z.int(),
  state: z.enum(['queued', 'running', 'paused', 'done', 'failed', 'cancelled']),
  file: z.string().meta({ description: 'path relative to input/ for a file in it, otherwise absolute' }),
  output: z.string().meta({ description: 'absolute path' }),
  recipe: z.custom<Recipe>().meta({ description: 'pipeline, model, scale and so on' }),
  priority: z.int(),
  attempts: z.int(),
  stage: z.string().nullable(),
  framesDone: z.int(),
  framesTotal: z.int().nullable(),
  percent: z.int().nullable().meta({ description: 'rounded down; null until the frames are counted' }),
  framesPerSecond: z.number().nullable(),
  secondsLeft: z.int().nullable(),
  estimate: z
    .custom<Estimate>()
    .nullable()
    .meta({ description: 'for a job that has not started; null if nothing is known' }),
  warning: z
    .string()
    .nullable()
    .meta({ description: 'for an unfinished job that takes very long: how long, and what would be faster' }),
  note: z.string().nullable().meta({ description: 'what the job waits for, or what was unusual' }),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  report: z
    .custom<MediaReport>()
    .nullable()
    .meta({ description: 'what happened to each stream of the source; null until the job is done' }),
  history: z
    .array(z.object({ at: z.string(), kind: z.string(), message: z.string() }))
    .meta({ description: 'the latest events of the job, newest first' }),
  createdAt: z.string(),
  startedAt: Instant,
  finishedAt: Instant,
});
export type JobReport = z.infer<typeof JobReport>;

export const FileWithReason = z.object({ file: z.string(), code: z.string(), message: z.string() });
export type FileWithReason = z.infer<typeof FileWithReason>;

/** What `status --json` says beside the jobs. */
export const HomeReport = z.object({
  home: z.string(),
  daemonRunning: z.boolean(),
  queuePaused: z.boolean(),
  throttled: z
    .string()
    .nullable()
    .meta({ description: 'why work is paused on purpose, such as paused for quiet hours until 07:30' }),
  pending: z
    .array(
      z.object({
        command: z.string(),
        jobId: z.int().nullable(),
        file: z.string().nullable(),
        recipe: z.string().nullable(),
        at: z.string(),
      }),
    )
    .meta({ description: 'commands that the daemon has not carried out yet, oldest first' }),
  rejected: z
    .array(FileWithReason)
    .meta({ description: 'rejected files in input/, which are checked again when they change' }),
  skipped: z
    .array(FileWithReason)
    .meta({ description: 'files in input/ that need no job, such as videos that are large enough' }),
  waiting: z.array(FileWithReason).meta({
    description: 'files in input/ that may be incomplete; they are checked again automatically',
  }),
});
export type HomeReport = z.infer<typeof HomeReport>;

/** The whole of `status --json`. */
export interface StatusReport extends HomeReport {
  readonly jobs: readonly JobReport[];
}

/** The files that the intake rejected. */
export function rejectedFiles(seen: readonly SeenFile[], inputDir: string): FileWithReason[] {
  return filesWithReason(
    seen.filter(({ state }) => state === 'rejected'),
    inputDir,
  );
}

/** The files that need no job. */
export function skippedFiles(seen: readonly SeenFile[], inputDir: string): FileWithReason[] {
  return filesWithReason(
    seen.filter(({ state, code }) => state === 'taken' && code !== null),
    inputDir,
  );
}

/** The files that the intake leaves for later, because they may be incomplete. */
export function waitingFiles(seen: readonly SeenFile[], inputDir: string): FileWithReason[] {
  return filesWithReason(
    seen.filter(({ state, code }) => state === 'settling' && code !== null),
    inputDir,
  );
}

function filesWithReason(files: readonly SeenFile[], inputDir: string): FileWithReason[] {
  return files.map(({ path, code, message }) => ({
    file: nameInInput(inputDir, path),
    code: code ?? 'INTERNAL',
    message: message ?? '',
  }));
}

/** Describes one job. @param inputDir absolute path of input/ @param nowMs the current time, for the time left */
export function reportJob(
  job: Job,
  inputDir: string,
  nowMs: number,
  {
    report = null,
    events = [],
    estimate = null,
  }: {
    readonly report?: MediaReport | null;
    readonly events?: readonly JobEvent[];
    readonly estimate?: Estimate | null;
  } = {},
): JobReport {
  const { id, state, priority, attempts, stage, framesDone, framesTotal, framesPerSecond, note } = job;
  const relativePath = nameInInput(inputDir, job.sourcePath);
  const file = relativePath.startsWith('..') ? job.sourcePath : relativePath;
  return {
    ...{ id, state, file, output: job.outputPath, recipe: job.recipe, priority, attempts, stage },
    framesDone,
    framesTotal,
    percent: percentOf(job),
    framesPerSecond,
    secondsLeft: job.etaAtMs === null ? null : Math.max(0, Math.round((job.etaAtMs - nowMs) / 1000)),
    estimate,
    warning: isUnfinished(state) ? (events.find(({ kind }) => kind === LONG_JOB)?.message ?? null) : null,
    note,
    error: job.errorCode === null ? null : { code: job.errorCode, message: job.errorMessage ?? '' },
    report,
    history: events.map(({ atMs, kind, message }) => ({ at: new Date(atMs).toISOString(), kind, message })),
    createdAt: new Date(job.createdAtMs).toISOString(),
    startedAt: isoOrNull(job.startedAtMs),
    finishedAt: isoOrNull(job.finishedAtMs),
  };
}

/** Finished share of a job. Where the video is analysed first, that is the first half. */
function percentOf({ state, stage, plan, framesDone, framesTotal }: Job): number | null {
  if (framesTotal === null) return null;
  if (plan?.passes !== 2 || state === 'done') return percentDone(framesDone, framesTotal);
  const isAnalysed = framesDone > 0 || stage === 'frames' || stage === 'mux' || stage === 'verify';
  const analysed = stage !== 'analysis' && isAnalysed ? framesTotal : 0;
  return percentDone(analysed + framesDone, 2 * framesTotal);
}

function isUnfinished(state: Job['state']): boolean {
  return state === 'queued' || state === 'running' || state === 'paused';
}

function isoOrNull(atMs: number | null): string | null {
  return atMs === null ? null : new Date(atMs).toISOString();
}
