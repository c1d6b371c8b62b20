import type { Logger } from '../observability/log-entry.ts';
import { formatProgress } from '../observability/format-progress.ts';
import type { JobContext } from './job-context.ts';

/** The log says at least this often that a job is running. */
const LONGEST_SILENCE_MS = 5 * 60_000;
const LOOK_EVERY_MS = 10_000;

/**
 * Runs a job with a log line at least every five minutes, whatever its stage: a frame of a large model, or the index of a long
 * film, may take longer than that without anything to tell.
 */
export async function breakSilence<Result>(
  context: JobContext,
  run: (context: JobContext) => Promise<Result>,
): Promise<Result> {
  let lastLineAtMs = performance.now();
  const heard = (): void => {
    lastLineAtMs = performance.now();
  };
  const log = listenedTo(context.log, heard);
  const timer = setInterval(() => {
    if (performance.now() - lastLineAtMs <= LONGEST_SILENCE_MS - LOOK_EVERY_MS) return;
    log.info(describeJob(context));
  }, LOOK_EVERY_MS);
  timer.unref();
  try {
    return await run({ ...context, log });
  } finally {
    clearInterval(timer);
  }
}

/** A logger that reports every line that a log file usually contains. */
function listenedTo(log: Logger, heard: () => void): Logger {
  const andHear =
    (write: (message: string) => void) =>
    (message: string): void => {
      heard();
      write(message);
    };
  return {
    debug: (message) => log.debug(message),
    info: andHear((message) => log.info(message)),
    warn: andHear((message) => log.warn(message)),
    error: andHear((message) => log.error(message)),
    child: (prefix) => listenedTo(log.child(prefix), heard),
  };
}

const STAGES: Readonly<Record<string, string>> = {
  probe: 'reading the source',
  index: 'decoding the source to index its frames',
  analysis: 'analysing the video',
  mux: 'joining the segments',
  verify: 'verifying the result',
};

/** The progress of a job by its row in the queue, or as it was at its start if the row cannot be read. */
function describeJob({ queue, job }: JobContext): string {
  let now = job;
  try {
    now = queue.jobs.getJob(job.id) ?? job;
  } catch {
    // The job itself notices a damaged database; a timer that throws would end the worker.
  }
  const { stage, framesDone, framesTotal, framesPerSecond, etaAtMs } = now;
  const isCounting = stage === 'frames' || (stage === 'analysis' && framesPerSecond !== null);
  if (!isCounting || framesTotal === null) return `still ${STAGES[stage ?? ''] ?? 'running'}`;
  const etaMs = etaAtMs === null ? null : Math.max(0, etaAtMs - Date.now());
  const progress = formatProgress({ framesDone, framesTotal, framesPerSecond, etaMs });
  return stage === 'analysis' ? `analysing · ${progress}` : progress;
}
