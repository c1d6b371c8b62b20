import { relative } from 'node:path';
import type { Estimate } from '../domain/estimate.ts';
import type { Job } from '../domain/job.ts';
import type { JobEvent } from '../queue/event-store.ts';
import type { Recipe } from '../domain/recipe.ts';
import type { SeenFile } from '../domain/seen-file.ts';
import type { MediaReport } from '../reports/media-report.ts';
import { percentDone } from '../observability/format-progress.ts';

/** One job in `status --json`. Fields are added over time, never renamed or removed. */
export interface JobReport {
  readonly id: number;
  readonly state: Job['state'];
  /** Path relative to input/ for a file in it, otherwise absolute. */
  readonly file: string;
  readonly output: string;
  readonly recipe: Recipe;
  readonly priority: number;
  readonly attempts: number;
  readonly stage: string | null;
  readonly framesDone: number;
  readonly framesTotal: number | null;
  /** Whole per cent, rounded down; null until the frames are counted. */
  readonly percent: number | null;
  readonly framesPerSecond: number | null;
  readonly secondsLeft: number | null;
  /** The estimate for a job that has not started; null if nothing is known. */
  readonly estimate: Estimate | null;
  /** What the job waits for, or what was unusual. */
  readonly note: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  /** What happened to each stream of the source; null until the job is done. */
  readonly report: MediaReport | null;
  /** The latest events of the job, newest first. */
  readonly history: readonly { readonly at: string; readonly kind: string; readonly message: string }[];
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
}

/** The whole of `status --json`. */
export interface StatusReport {
  readonly home: string;
  readonly daemonRunning: boolean;
  readonly queuePaused: boolean;
  /** Why work is paused on purpose, such as `paused for quiet hours until 07:30`; null if it is not. */
  readonly throttled: string | null;
  readonly jobs: readonly JobReport[];
  /** Files in input/ that were rejected. They are checked again when they change. */
  readonly rejected: readonly FileWithReason[];
  /** Files in input/ that do not change but may be incomplete. They are checked again without a command. */
  readonly waiting: readonly FileWithReason[];
}

export interface FileWithReason {
  readonly file: string;
  readonly code: string;
  readonly message: string;
}

/** The files that the intake rejected. */
export function rejectedFiles(seen: readonly SeenFile[], inputDir: string): FileWithReason[] {
  return filesWithReason(
    seen.filter(({ state }) => state === 'rejected'),
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
    file: relative(inputDir, path),
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
  const relativePath = relative(inputDir, job.sourcePath);
  const file = relativePath.startsWith('..') ? job.sourcePath : relativePath;
  return {
    ...{ id, state, file, output: job.outputPath, recipe: job.recipe, priority, attempts, stage },
    framesDone,
    framesTotal,
    percent: framesTotal === null ? null : percentDone(framesDone, framesTotal),
    framesPerSecond,
    secondsLeft: job.etaAtMs === null ? null : Math.max(0, Math.round((job.etaAtMs - nowMs) / 1000)),
    estimate,
    note,
    error: job.errorCode === null ? null : { code: job.errorCode, message: job.errorMessage ?? '' },
    report,
    history: events.map(({ atMs, kind, message }) => ({ at: new Date(atMs).toISOString(), kind, message })),
    createdAt: new Date(job.createdAtMs).toISOString(),
    startedAt: isoOrNull(job.startedAtMs),
    finishedAt: isoOrNull(job.finishedAtMs),
  };
}

function isoOrNull(atMs: number | null): string | null {
  return atMs === null ? null : new Date(atMs).toISOString();
}
