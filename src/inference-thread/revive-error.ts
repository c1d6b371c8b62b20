import {
  EngineError,
  GpuUnavailableError,
  InputRejectedError,
  ModelError,
  StoppedError,
  TransientError,
  type ModelErrorCode,
} from '../domain/errors.ts';

const MODEL_CODES: ReadonlySet<string> = new Set<ModelErrorCode>([
  'MODEL_UNKNOWN',
  'MODEL_MISSING',
  'MODEL_CHECKSUM',
  'MODEL_UNREADABLE',
  'MODEL_UNSUITABLE',
]);

/** Turns the code and message of an error of the inference thread back into an error of the right class. */
export function reviveError(code: string, message: string): Error {
  if (code === 'STOPPED' || code === 'ABORT_ERR') return new StoppedError(message);
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new TransientError('DISK_FULL', `No space left for frames: ${message}`);
  if (code === 'STATE_OF_OTHER_VERSION' || code === 'BAD_RECIPE' || code === 'NO_FACE')
    return new InputRejectedError(code, message);
  if (code === 'GPU_UNAVAILABLE') return new GpuUnavailableError(message);
  if (MODEL_CODES.has(code)) return new ModelError(code as ModelErrorCode, message);
  if (code === 'OUT_OF_MEMORY' || code === 'ENGINE_UNAVAILABLE' || code === 'DEVICE_LOST')
    return new EngineError(code, message);
  return new EngineError('ENGINE_FAILED', message);
}
