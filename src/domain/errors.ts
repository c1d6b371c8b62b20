/**
 * Errors that cross a room's border. One class a kind; the `code` is stable and is what the database, the exit
 * code table and the troubleshooting page refer to. A message is one sentence that fits one log line.
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
  | 'NOT_A_VIDEO'
  | 'NO_VIDEO_STREAM'
  | 'UNSUPPORTED_CODEC'
  | 'UNSUPPORTED_COLOR'
  | 'ENCRYPTED'
  | 'NO_DECODABLE_FRAME'
  | 'DAMAGED'
  | 'TIMESTAMP_DISCONTINUITY'
  | 'LIMIT_EXCEEDED'
  | 'SOURCE_MISSING'
  | 'SOURCE_CHANGED'
  | 'OUTPUT_EXISTS'
  | 'OUTPUT_NOT_ALLOWED'
  | 'BAD_RECIPE'
  | 'STATE_OF_OTHER_VERSION';

/** The input cannot be processed, now or on a second try. The job is set aside at once, with the sentence. */
export class InputRejectedError extends FramekilnError {
  readonly code: RejectionCode;

  constructor(code: RejectionCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export type TransientErrorCode = 'DISK_FULL' | 'OUTPUT_READ_ONLY' | 'FFMPEG_MISSING' | 'ENCODER_BUSY';

/** Something outside the job stands in its way. It uses up no try; the job waits and goes on by itself. */
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

/** A neural network's file is absent, not the one that the manifest names, or of the wrong shape. */
export class ModelError extends FramekilnError {
  readonly code: ModelErrorCode;

  constructor(code: ModelErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * An engine failed while it ran a model. Two are outcomes: after `OUT_OF_MEMORY` the caller shrinks and tries again,
 * after `DEVICE_LOST` (the GPU is gone, or hangs) it takes the next engine.
 */
export class EngineError extends FramekilnError {
  readonly code: 'ENGINE_UNAVAILABLE' | 'ENGINE_FAILED' | 'ENGINE_STALLED' | 'OUT_OF_MEMORY' | 'DEVICE_LOST';

  constructor(code: EngineError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export type FfmpegErrorCode = 'FFMPEG_FAILED' | 'FFMPEG_STALLED';

/** An ffmpeg or ffprobe ended otherwise than well. `stderrTail` holds the last lines that it said. */
export class FfmpegError extends FramekilnError {
  readonly code: FfmpegErrorCode;
  readonly stderrTail: string;
  /** null where a signal or this program ended it. */
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

/** The finished file or a segment is not what it must be (R16, R17). The try counts. */
export class VerificationError extends FramekilnError {
  readonly code = 'VERIFICATION_FAILED';
}

/** Nothing is wrong with the finished file but where audio tracks begin or end: it can be mended. */
export class AudioShiftedError extends VerificationError {
  /** By stream index of the source: seconds that would bring the track back, or why nothing would. */
  readonly shifts: ReadonlyMap<number, number | string>;

  constructor(message: string, shifts: ReadonlyMap<number, number | string>) {
    super(message);
    this.shifts = shifts;
  }
}

/** The thread that several jobs share crashed or hangs, and nobody knows of which: no job is charged with it. */
export class SharedThreadError extends FramekilnError {
  readonly code = 'SHARED_THREAD_LOST';
}

/** The worker process holds more memory than its limit; it restarts, and no job is charged with an attempt. */
export class WorkerMemoryError extends FramekilnError {
  readonly code = 'WORKER_MEMORY';
}

/** Another worker holds the job now; whoever gets this writes nothing more for it. */
export class LeaseLostError extends FramekilnError {
  readonly code = 'LEASE_LOST';
}

/** The work was told to stop: pause, cancel, shutdown. */
export class StoppedError extends FramekilnError {
  readonly code = 'STOPPED';
}

/** A configuration or command line that cannot be used; `faults` holds every fault found, one sentence each. */
export class ConfigurationError extends FramekilnError {
  readonly code = 'BAD_CONFIGURATION';
  readonly faults: readonly string[];

  constructor(message: string, faults: readonly string[], options?: ErrorOptions) {
    super(message, options);
    this.faults = faults;
  }
}

/** The queue's database is damaged, or is none. The daemon sets it aside when it starts. */
export class DatabaseDamagedError extends FramekilnError {
  readonly code = 'DATABASE_DAMAGED';
}

/** A defect of ours, or of a library: something happened that the code holds to be impossible. */
export class InternalError extends FramekilnError {
  readonly code = 'INTERNAL';
}

/** A caught `unknown` as an Error, its own instance where it is one. */
export function toError(caught: unknown): Error {
  return caught instanceof Error ? caught : new Error(String(caught));
}

/** The stable code of any error: its `code` where it has a string one, else `INTERNAL`. */
export function codeOf(caught: unknown): string {
  if (typeof caught === 'object' && caught !== null && 'code' in caught && typeof caught.code === 'string') {
    return caught.code;
  }
  return 'INTERNAL';
}
