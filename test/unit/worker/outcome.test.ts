import { expect, test } from 'vitest';
import {
  AudioShiftedError,
  ConfigurationError,
  DatabaseDamagedError,
  EngineError,
  FfmpegError,
  InputRejectedError,
  InternalError,
  LeaseLostError,
  MaybeIncompleteError,
  ModelError,
  SharedThreadError,
  StoppedError,
  TransientError,
  VerificationError,
  WorkerMemoryError,
} from '../../../src/domain/errors.ts';
import { isExplained, outcomeOf, type Outcome } from '../../../src/worker/outcome.ts';

test.each<[Error, Outcome, boolean]>([
  [new LeaseLostError('x'), 'lost', false],
  [new SharedThreadError('x'), 'worker-ends', false],
  [new StoppedError('x'), 'released', false],
  [new WorkerMemoryError('x'), 'released', false],
  [new TransientError('DISK_FULL', 'x'), 'waiting', false],
  [new TransientError('ENCODER_BUSY', 'x'), 'waiting', false],
  [new MaybeIncompleteError('x', 1), 'waiting', false],
  [new InputRejectedError('DAMAGED', 'x'), 'rejected', false],
  [new ModelError('MODEL_MISSING', 'x'), 'rejected', false],
  [new EngineError('ENGINE_FAILED', 'x'), 'attempt-failed', true],
  [new EngineError('OUT_OF_MEMORY', 'x'), 'attempt-failed', true],
  [new FfmpegError('FFMPEG_FAILED', 'x', ''), 'attempt-failed', true],
  [new VerificationError('x'), 'attempt-failed', true],
  [new AudioShiftedError('x', new Map()), 'attempt-failed', true],
  [new InternalError('x'), 'attempt-failed', false],
  [new ConfigurationError('x', []), 'attempt-failed', false],
  [new DatabaseDamagedError('x'), 'attempt-failed', false],
  [new TypeError('x'), 'attempt-failed', false],
])('%s ends a job as %s (explained by its message: %s)', (error, outcome, explained) => {
  expect(outcomeOf(error)).toBe(outcome);
  expect(isExplained(error)).toBe(explained);
});
