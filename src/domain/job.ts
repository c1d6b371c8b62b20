import type { VideoShape } from './video-shape.ts';
import type { BatchSizes } from './frame-batch.ts';
import type { Chroma, YuvFormat } from './media-info.ts';
import type { Recipe } from './recipe.ts';

/**
 * States of a job.
 *
 * - `queued`: waits for a worker, not before `notBeforeAtMs` if set (back-off after a failed attempt, or a transient error
 *   such as a full disk, described in `note`).
 * - `running`: a worker holds the lease.
 * - `paused`: paused by the user; checkpoints are kept.
 * - `done`: the finished file is verified and published, and the source kept, moved or deleted according to the settings.
 * - `failed`: failed permanently, with `errorCode` and `errorMessage`, until the user runs `retry`.
 * - `cancelled`: cancelled by the user; checkpoints are deleted.
 *
 * Transitions: queued → running (claim) · running → queued (released, lease lost, attempt failed) · running → done ·
 * running → failed (rejected, or the last attempt failed) · queued, running → paused → queued ·
 * queued, running, paused, failed → cancelled · failed, cancelled, done → queued (retry; a failed one also when its missing source is back).
 */
export type JobState = 'queued' | 'running' | 'paused' | 'done' | 'failed' | 'cancelled';

/**
 * Where a job comes from. Jobs of `run` are processed by that `framekiln run` only, others by the daemon, including those
 * that `framekiln run` has handed over to it.
 */
export type JobOrigin = 'watch' | 'add' | 'run' | 'handed-over';

/** Whether a job was started with `framekiln run`, which keeps the source and may write to any folder. */
export function isOfRun({ origin }: Pick<Job, 'origin'>): boolean {
  return origin === 'run' || origin === 'handed-over';
}

/**
 * How exactly the native CPU engine computes: `exact` in float32 throughout; `balanced` and `fast` multiply 16-bit numbers
 * where the processor has instructions for that, `fast` with larger tiles.
 */
export const PRECISIONS = ['exact', 'balanced', 'fast'] as const;
export type Precision = (typeof PRECISIONS)[number];

/** Whether a job computes with WebGPU; `undecided` until its model is loaded for the first time. */
export type WebGpuUse = 'undecided' | 'used' | 'unused';

/** Choices made when a job first starts and kept from then on, so that a resumed job produces the same frames. */
export interface JobPlan extends BatchSizes {
  readonly codec: 'h264' | 'hevc' | 'vp9';
  /** The setting `output.container`. Absent for still images, and in plans of older versions unless it is `webm` or `gif`. */
  readonly container?: 'source' | 'mp4' | 'mkv' | 'webm' | 'gif';
  readonly encoder: {
    readonly crf: number;
    readonly preset: string;
    readonly threads: number;
    /** Absent in plans of older versions, which use 4:2:0. */
    readonly chroma?: Chroma;
    readonly lowLatency?: boolean;
  };
  /**
   * Format of the frames that the decoder delivers at the size of the output, ready to encode. Absent: the pipeline gets
   * RGB at the size of the source and resizes it, as every pipeline of older versions does.
   */
  readonly decodedTo?: YuvFormat;
  /**
   * Format in which the frames of a pipeline that gives RGB are written for the encoder. Absent: RGB, as where the CPU addon was
   * not there when the job started, for still images, and in plans of older versions.
   */
  readonly writtenAs?: YuvFormat;
  /**
   * What shrinks frames from the scale of the model to a smaller one. Absent: our own resampler, as in plans of older
   * versions.
   */
  readonly shrinksWith?: 'sharp';
  /**
   * Whether frames are divided so that parts that have not changed need not be computed again. Absent: they are not, as
   * for models of unknown architecture and in plans of older versions.
   */
  readonly reusesTiles?: true;
  /** Tile size in source pixels; null for whole frames. Reduced if memory runs out during the job. */
  readonly tile: number | null;
  /** Tile size on a GPU. Absent in plans of older versions, which use `tile`. */
  readonly gpuTile?: number | null;
  /** Tile size on a GPU with another engine than our kernels, which need less memory. Absent: the same as `gpuTile`. */
  readonly otherGpuTile?: number | null;
  /**
   * Precision of the native CPU engine. Absent: the job does not use that engine, because it was not there when the job
   * started.
   */
  readonly precision?: Precision;
  /**
   * Whether WebGPU computes: its speed decides that once, because another measurement may have another result, and engines
   * differ in the last bit. Absent: it does not, as for split screens and in plans of older versions.
   */
  readonly webGpu?: WebGpuUse;
  /** 2: the whole video is analysed before its frames are processed. Absent: it is not, as in plans of older versions. */
  readonly passes?: 2;
  /** Faces that a lip-sync model draws in one run, which may decide the last bit. Absent for other jobs. */
  readonly facesAtOnce?: number;
  /** Hash of the face detector of a lip-sync job. Absent for other jobs. */
  readonly detectorSha256?: string;
  readonly modelSha256: string | null;
  /** Hash of the model that distinguishes faces; null if the job uses none. Absent in plans of older versions. */
  readonly embeddingSha256?: string | null;
  /** Hash of the model that upscales close-ups of a split screen; null if there is none. Absent in plans of older versions. */
  readonly enhancerSha256?: string | null;
  /** Version of the ffmpeg that the job last ran with; null if unknown. Absent in plans of older versions. */
  readonly ffmpegVersion?: string | null;
}

export interface Job {
  readonly id: number;
  readonly origin: JobOrigin;
  /** Absolute path. */
  readonly sourcePath: string;
  /** Absolute path; the extension may change when the container is chosen. */
  readonly outputPath: string;
  /** sha256 of the source, in hex. */
  readonly fingerprint: string;
  readonly recipe: Recipe;
  readonly state: JobState;
  /** Jobs with a higher priority run first; then the oldest. */
  readonly priority: number;
  readonly attempts: number;
  readonly plan: JobPlan | null;
  /** Taken from the headers when the job is queued, and from the frame index once it has started; null if not known yet. */
  readonly video: VideoShape | null;
  readonly framesTotal: number | null;
  /** Frames of the result that are done; in the stage `analysis`, frames that are analysed. */
  readonly framesDone: number;
  /** Stage of a running job: `probe`, `index`, `analysis`, `frames`, `mux` or `verify`; null otherwise. */
  readonly stage: string | null;
  /** A sentence for the user: what the job waits for, or what was unusual. */
  readonly note: string | null;
  readonly framesPerSecond: number | null;
  readonly etaAtMs: number | null;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly notBeforeAtMs: number | null;
  readonly createdAtMs: number;
  readonly startedAtMs: number | null;
  /**
   * When the finished file got its name. From then on, only the source has to be settled and the job folder deleted.
   */
  readonly publishedAtMs: number | null;
  readonly finishedAtMs: number | null;
}

/** Whether a job is queued or running, so that it will end without a command of the user. */
export function isMoving({ state }: Pick<Job, 'state'>): boolean {
  return state === 'queued' || state === 'running';
}

/** Right to write for a job. Every claim increases the token, and every write carries it (promise 9 in docs/promises.md). */
export interface Lease {
  readonly jobId: number;
  readonly owner: string;
  readonly token: number;
}

/** A batch with a checkpoint: its segment is durable and verified. */
export interface CommittedBatch {
  readonly number: number;
  readonly firstFrame: number;
  readonly frameCount: number;
  /** File name in `segments/` of the job folder. */
  readonly segmentName: string;
  readonly segmentBytes: number;
  readonly segmentSha256: string;
  readonly encoder: string;
  /** From the start of decoding to the commit. */
  readonly elapsedMs: number;
  /** Time that the first pass over the video took for this batch; null: there was none. */
  readonly analysisMs: number | null;
  /**
   * Frames, and parts of frames, whose result was that of the previous frame. null if an older version, or the worker
   * before a crash, transformed the batch.
   */
  readonly framesReused: number | null;
  readonly committedAtMs: number;
}

/** `group`: one of the others for several jobs at once, which are in the argument. */
export type CommandKind = 'pause' | 'resume' | 'cancel' | 'retry' | 'prioritise' | 'move' | 'add' | 'group';

/** A request from the CLI or the page, carried out by the daemon. */
export interface Command {
  readonly id: number;
  readonly kind: CommandKind;
  /** The job that the command applies to; null for several, or for the whole queue (pause, resume). */
  readonly jobId: number | null;
  readonly argument: unknown;
  readonly createdAtMs: number;
}
