import type { VideoShape } from './video-shape.ts';
import type { BatchSizes } from './frame-batch.ts';
import type { Chroma } from './media-info.ts';
import type { Recipe } from './recipe.ts';

/**
 * A job's states.
 *
 * - `queued`: waits for a worker. With `notBeforeAtMs` in the future it waits for that instant (back-off after a
 *   failed try, or a transient error such as a full disk, whose sentence is in `note`).
 * - `running`: a worker holds its lease.
 * - `paused`: a person paused it; its checkpoints are kept.
 * - `done`: the finished file was verified and published, and the source settled as it is requested.
 * - `failed`: set aside, with `errorCode` and `errorMessage`; only `retry` brings it back.
 * - `cancelled`: a person cancelled it; its checkpoints are deleted.
 *
 * Edges: queued → running (claim) · running → queued (released, lease lost, try failed) · running → done ·
 * running → failed (rejected, or the last try failed) · queued, running → paused → queued ·
 * queued, running, paused, failed → cancelled · failed, cancelled, done → queued (retry).
 */
export type JobState = 'queued' | 'running' | 'paused' | 'done' | 'failed' | 'cancelled';

/** Who may take a job: the daemon's workers, or only the `framekiln run` that made it. */
export type JobOrigin = 'watch' | 'add' | 'run';

/** Decided when a job starts for the first time and kept, so that a resumed job gives the same frames. */
export interface JobPlan extends BatchSizes {
  readonly codec: 'h264' | 'hevc';
  readonly encoder: {
    readonly crf: number;
    readonly preset: string;
    readonly threads: number;
    /** Absent in plans of older versions: 4:2:0. */
    readonly chroma?: Chroma;
    readonly lowLatency?: boolean;
  };
  /** Edge of a tile in source pixels; null: whole frames. Memory that is short in mid-job makes it smaller. */
  readonly tile: number | null;
  /** The same on a GPU. Absent in plans of older versions: as on the CPU. */
  readonly gpuTile?: number | null;
  readonly modelSha256: string | null;
  /** Of the model that tells faces apart; null: the job does without. Absent in plans of before there was one. */
  readonly embeddingSha256?: string | null;
}

export interface Job {
  readonly id: number;
  readonly origin: JobOrigin;
  /** Absolute. */
  readonly sourcePath: string;
  /** Absolute; the extension may still change when the container is chosen. */
  readonly outputPath: string;
  /** sha256 of the source's bytes, hex. */
  readonly fingerprint: string;
  readonly recipe: Recipe;
  readonly state: JobState;
  /** Higher goes first; then arrival. */
  readonly priority: number;
  readonly attempts: number;
  readonly plan: JobPlan | null;
  /** By its headers when it was queued, by its index from the first start on; null before, where nobody looked. */
  readonly video: VideoShape | null;
  readonly framesTotal: number | null;
  readonly framesDone: number;
  /** What the worker is at: `probe`, `index`, `frames`, `mux`, `verify`; null when not running. */
  readonly stage: string | null;
  /** A sentence for people: what it waits for, what was unusual. */
  readonly note: string | null;
  readonly framesPerSecond: number | null;
  readonly etaAtMs: number | null;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly notBeforeAtMs: number | null;
  readonly createdAtMs: number;
  readonly startedAtMs: number | null;
  /** When the finished file had its name; what is left then is to settle the source and to remove the job's folder. */
  readonly publishedAtMs: number | null;
  readonly finishedAtMs: number | null;
}

/** Proof that its holder may write for a job. The token grows with each claim; every write carries it (R9). */
export interface Lease {
  readonly jobId: number;
  readonly owner: string;
  readonly token: number;
}

/** A committed batch: its segment is durable and verified. */
export interface CommittedBatch {
  readonly number: number;
  readonly firstFrame: number;
  readonly frameCount: number;
  /** File name inside the job folder's `segments/`. */
  readonly segmentName: string;
  readonly segmentBytes: number;
  readonly segmentSha256: string;
  readonly encoder: string;
  readonly pipelineState: Uint8Array | null;
  readonly elapsedMs: number;
  readonly committedAtMs: number;
}

export type CommandKind = 'pause' | 'resume' | 'cancel' | 'retry' | 'prioritise' | 'add';

/** A request of the CLI or the dashboard; the daemon carries it out. */
export interface Command {
  readonly id: number;
  readonly kind: CommandKind;
  /** null: the whole queue (pause, resume). */
  readonly jobId: number | null;
  readonly argument: unknown;
  readonly createdAtMs: number;
}
