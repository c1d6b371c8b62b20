/**
 * Base of all errors that leave a module. There is one class per kind. The `code` is stable: the database, the exit codes and
 * the troubleshooting page refer to it. The message is one sentence that fits on one log line.
 */
export abstract class FramekilnError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

export type RejectionCode =
  | 'EMPTY_FILE'
  | 'NOT_A_REGULAR_FILE'
  | 'SYMBOLIC_LINK'
  | 'NAME_NOT_UTF8'
  | 'NOT_A_VIDEO'
  | 'NO_VIDEO_STREAM'
  | 'UNSUPPORTED_CODEC'
  | 'UNSUPPORTED_COLOR'
  | 'ENCRYPTED'
  | 'NO_DECODABLE_FRAME'
  | 'BAD_SEQUENCE'
  | 'DAMAGED'
  | 'TIMESTAMP_DISCONTINUITY'
  | 'LIMIT_EXCEEDED'
  | 'SOURCE_MISSING'
  | 'SOURCE_CHANGED'
  | 'OUTPUT_EXISTS'
  | 'OUTPUT_NOT_ALLOWED'
  | 'OUTPUT_TOO_LARGE'
  | 'BAD_RECIPE'
  | 'STATE_OF_OTHER_VERSION'
  | 'NO_AUDIO'
  | 'BAD_AUDIO'
  | 'NO_FACE';

/** The input cannot be processed, and a retry would not help: the file is rejected, or its job fails permanently. */
export class InputRejectedError extends FramekilnError {
  readonly code: RejectionCode;

  constructor(code: RejectionCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export type TransientErrorCode =
  | 'DISK_FULL'
  | 'OUTPUT_READ_ONLY'
  | 'FFMPEG_MISSING'
  | 'ENCODER_BUSY'
  | 'ENCODER_MISSING'
  | 'JOB_FOLDER_TAKEN'
  | 'FOLDER_MISSING'
  | 'DISK_UNREACHABLE';

/** A temporary condition outside the job, such as a full disk. It uses no attempt; the job waits and then resumes. */
export class TransientError extends FramekilnError {
  readonly code: TransientErrorCode;

  constructor(code: TransientErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export type ModelErrorCode =
  | 'MODEL_UNKNOWN'
  | 'MODEL_MISSING'
  | 'MODEL_CHECKSUM'
  | 'MODEL_UNREADABLE'
  | 'MODEL_UNSUITABLE'
  | 'MODEL_FETCH_FAILED';

/** The file of a model is missing, differs from the manifest, or is unsuitable. */
export class ModelError extends FramekilnError {
  readonly code: ModelErrorCode;

  constructor(code: ModelErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * An engine failed to run a model. Callers handle two codes: after `OUT_OF_MEMORY` they retry with smaller tiles or batches,
 * after `DEVICE_LOST` (the GPU is gone or hangs) they use the next engine.
 */
export class EngineError extends FramekilnError {
  readonly code: 'ENGINE_UNAVAILABLE' | 'ENGINE_FAILED' | 'ENGINE_STALLED' | 'OUT_OF_MEMORY' | 'DEVICE_LOST';

  constructor(code: EngineError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** No GPU can run the model, and the recipe does not allow the CPU. Another attempt would end the same way. */
export class GpuUnavailableError extends FramekilnError {
  readonly code = 'GPU_UNAVAILABLE';
}

export type FfmpegErrorCode = 'FFMPEG_FAILED' | 'FFMPEG_STALLED';

/** ffmpeg or ffprobe failed. `stderrTail` contains the last lines of its standard error. */
export class FfmpegError extends FramekilnError {
  readonly code: FfmpegErrorCode;
  readonly stderrTail: string;
  /** The exit code; null if ffmpeg was ended by a signal. */
  readonly exitCode: number | null;

  constructor(
    code: FfmpegErrorCode,
    message: string,
    stderrTail: string,
    options?: ErrorOptions & { readonly exitCode?: number | undefined },
  ) {
    super(message, options);
    this.exitCode = options?.exitCode ?? null;
    this.code = code;
    this.stderrTail = stderrTail;
  }
}

/** A segment or the finished file failed verification (promises 16 and 17 in docs/promises.md). Uses an attempt. */
export class VerificationError extends FramekilnError {
  readonly code = 'VERIFICATION_FAILED';
}

/** The only fault of the finished file is that audio tracks start or end at the wrong time, which can be corrected. */
export class AudioShiftedError extends VerificationError {
  /** Seconds by which to shift each track, or why shifting it does not help, by stream index of the source. */
  readonly shifts: ReadonlyMap<number, number | string>;

  constructor(message: string, shifts: ReadonlyMap<number, number | string>) {
    super(message);
    this.shifts = shifts;
  }
}

/** The inference thread that several jobs share crashed or hangs. The cause is unknown, so no job loses an attempt. */
export class SharedThreadError extends FramekilnError {
  readonly code = 'SHARED_THREAD_LOST';
}

/** The worker process exceeds its memory limit; it restarts, and no job loses an attempt. */
export class WorkerMemoryError extends FramekilnError {
  readonly code = 'WORKER_MEMORY';
}

/** The content of a source is unusable, and may be that of a copy in progress: it is looked at again later. */
export class MaybeIncompleteError extends FramekilnError {
  readonly code = 'MAYBE_INCOMPLETE';
  /** When the source has been unchanged for long enough to be rejected. */
  readonly lookAgainAtMs: number;

  constructor(message: string, lookAgainAtMs: number, options?: ErrorOptions) {
    super(message, options);
    this.lookAgainAtMs = lookAgainAtMs;
  }
}

/** Another worker has claimed the job; this worker must not write anything more for it. */
export class LeaseLostError extends FramekilnError {
  readonly code = 'LEASE_LOST';
}

/** Processing was stopped by a pause, a cancellation or a shutdown. */
export class StoppedError extends FramekilnError {
  readonly code = 'STOPPED';
}

/** Invalid settings or command line; `faults` contains all faults, one sentence each. */
export class ConfigurationError extends FramekilnError {
  readonly code = 'BAD_CONFIGURATION';
  readonly faults: readonly string[];

  constructor(message: string, faults: readonly string[], options?: ErrorOptions) {
    super(message, options);
    this.faults = faults;
  }
}

/** A file or model that the user names is missing or unsuitable; `code` is that of the fault. */
export class ArgumentError extends FramekilnError {
  readonly code: RejectionCode | ModelErrorCode;

  constructor(code: ArgumentError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** This user may not write to the state of the home. */
export class HomeNotWritableError extends FramekilnError {
  readonly code = 'HOME_NOT_WRITABLE';
}

/** The queue's database is damaged, or the file is not a database. The daemon keeps a copy and replaces it. */
export class DatabaseDamagedError extends FramekilnError {
  readonly code = 'DATABASE_DAMAGED';
}

/** The database or the lock of the home was removed or replaced while this process used it; the process must end. */
export class StateLostError extends FramekilnError {
  readonly code = 'STATE_LOST';
}

/** Workers end again and again without claiming a job, so starting another one is pointless. */
export class WorkerFailingError extends FramekilnError {
  readonly code = 'WORKER_FAILING';
}

/** The service manager is missing, or did not do what was asked. */
export class ServiceManagerError extends FramekilnError {
  readonly code: 'NO_SYSTEMD' | 'SYSTEMD_FAILED';

  constructor(code: ServiceManagerError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** A bug in Framekiln or a library: something happened that should be impossible. */
export class InternalError extends FramekilnError {
  readonly code = 'INTERNAL';
}

/** Converts a caught `unknown` to an Error; returns the same instance if it is one. */
export function toError(caught: unknown): Error {
  return caught instanceof Error ? caught : new Error(String(caught));
}

/** Stable code of any error: its `code` if that is a string, else `INTERNAL`. */
export function codeOf(caught: unknown): string {
  if (typeof caught === 'object' && caught !== null && 'code' in caught && typeof caught.code === 'string') {
    return caught.code;
  }
  return 'INTERNAL';
}
