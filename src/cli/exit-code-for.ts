import {
  ConfigurationError,
  EngineError,
  FramekilnError,
  InternalError,
  NetworkError,
  ObstacleError,
  StoppedError,
} from '../domain/errors.ts';
import { ExitCode } from '../domain/exit-codes.ts';

/** The exit code of a command that ended with this error. */
export function exitCodeFor(error: unknown): ExitCode {
  if (error instanceof ConfigurationError) return ExitCode.usage;
  if (error instanceof NetworkError && error.code === 'NETWORK_UNKNOWN') return ExitCode.usage;
  if (error instanceof NetworkError || error instanceof ObstacleError || error instanceof EngineError) {
    return ExitCode.environment;
  }
  if (error instanceof StoppedError) return ExitCode.stopped;
  return error instanceof FramekilnError && !(error instanceof InternalError)
    ? ExitCode.failed
    : ExitCode.internal;
}
