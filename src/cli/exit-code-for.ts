import {
  ArgumentError,
  ConfigurationError,
  EngineError,
  FramekilnError,
  HomeNotWritableError,
  InternalError,
  ModelError,
  ServiceManagerError,
  StateLostError,
  TransientError,
  StoppedError,
} from '../domain/errors.ts';
import { ExitCode } from '../domain/exit-codes.ts';

/** The exit code of a command that ended with this error. */
export function exitCodeFor(error: unknown): ExitCode {
  if (error instanceof ConfigurationError || error instanceof ArgumentError) return ExitCode.usage;
  if (error instanceof ModelError && error.code === 'MODEL_UNKNOWN') return ExitCode.usage;
  if (error instanceof HomeNotWritableError || error instanceof ServiceManagerError)
    return ExitCode.environment;
  if (error instanceof ModelError || error instanceof TransientError || error instanceof EngineError) {
    return ExitCode.environment;
  }
  if (error instanceof StateLostError) return ExitCode.stateLost;
  if (error instanceof StoppedError) return ExitCode.stopped;
  return error instanceof FramekilnError && !(error instanceof InternalError)
    ? ExitCode.failed
    : ExitCode.internal;
}
