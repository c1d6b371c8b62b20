import {
  EngineError,
  FfmpegError,
  GpuUnavailableError,
  InputRejectedError,
  LeaseLostError,
  MaybeIncompleteError,
  ModelError,
  SharedThreadError,
  StoppedError,
  TransientError,
  VerificationError,
  WorkerMemoryError,
} from '../domain/errors.ts';

/**
 * What the error that ended a job means for it:
 *
 * - `lost`: the job was paused, cancelled or taken by another worker; nothing may be written for it any more.
 * - `worker-ends`: the fault is not this job's; the worker ends, and a new one resumes the job.
 * - `released`: back in the queue; no attempt is used.
 * - `waiting`: the same, but the job is not claimed again before a pause, because the condition is expected to end by
 *   itself.
 * - `rejected`: failed permanently at once, because another attempt would end the same way.
 * - `attempt-failed`: uses an attempt; the job is retried until its `attempts` are used up.
 */
export type Outcome = 'lost' | 'worker-ends' | 'released' | 'waiting' | 'rejected' | 'attempt-failed';

type ErrorClass = abstract new (...args: never[]) => Error;

/** The first class that matches decides. */
const OUTCOMES: readonly (readonly [ErrorClass, Outcome])[] = [
  [LeaseLostError, 'lost'],
  [SharedThreadError, 'worker-ends'],
  [StoppedError, 'released'],
  [WorkerMemoryError, 'released'],
  [TransientError, 'waiting'],
  [MaybeIncompleteError, 'waiting'],
  [InputRejectedError, 'rejected'],
  [ModelError, 'rejected'],
  [GpuUnavailableError, 'rejected'],
];

export function outcomeOf(error: Error): Outcome {
  return OUTCOMES.find(([kind]) => error instanceof kind)?.[1] ?? 'attempt-failed';
}

/** Whether the message of a failed attempt says enough; an unforeseen error is logged with its stack. */
export function isExplained(error: Error): boolean {
  return error instanceof FfmpegError || error instanceof VerificationError || error instanceof EngineError;
}
