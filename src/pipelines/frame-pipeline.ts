import type { FrameFormat, MediaInfo, Rational } from '../domain/media-info.ts';

/** One frame's pixels, packed RGB in its FrameFormat. A pipeline may keep the bytes of its input; they are not modified afterwards. */
export interface Frame {
  /** Number in the job, from 0. */
  readonly number: number;
  readonly pixels: Buffer;
}

/** Geometry and pixel formats of a job's frames. */
export interface PipelineFormats {
  readonly input: FrameFormat;
  readonly output: FrameFormat;
  /** Pixel width over height of the output. */
  readonly outputAspect: Rational;
}

/** A tile size that fits the memory of a device, found after a larger one had run out of memory. */
export interface ReducedTile {
  readonly device: 'cpu' | 'gpu';
  /** Edge of a tile in source pixels. */
  readonly tile: number;
}

/** What a pipeline decides for the whole video before its frames are processed. */
export interface DirectedFrames {
  /** For each batch, what `process` needs to know. */
  readonly directions: readonly Uint8Array[];
  /** A summary for the log. */
  readonly conclusion: string;
  /** All decisions as JSON, for people to read. */
  readonly decisions: string;
}

/** A first pass over all frames of a video, for pipelines that must know what comes later. */
export interface VideoAnalysis {
  /**
   * Looks at the frames of a batch. Stops with StoppedError when `signal` is aborted.
   *
   * @param stateBefore the state after the batch before; null for the first one. Nothing else is kept of earlier frames
   * @param onFrame called after each frame
   */
  analyse(
    frames: AsyncIterable<Frame> | Iterable<Frame>,
    stateBefore: Uint8Array | null,
    signal: AbortSignal,
    onFrame: (frameNumber: number) => void,
  ): Promise<AnalysedFrames>;
  /**
   * Decides what all frames show. Depends on the findings, and may depend on how fast models are here. Stops with StoppedError when `signal` is aborted.
   *
   * @param findings of all frames, in order, in batches of any size
   * @param batchFrames number of frames of each batch that `process` gets
   * @param onShot called before each shot
   * @param loudness of the audio in each frame, in decibels; null: there is no audio, or it does not matter
   */
  direct(
    findings: readonly Uint8Array[],
    batchFrames: readonly number[],
    signal: AbortSignal,
    onShot: () => void,
    loudness?: Float32Array | null,
  ): Promise<DirectedFrames>;
}

/** What the analysis of a batch leaves behind for its checkpoint. */
export interface AnalysedFrames {
  readonly findings: Uint8Array;
  /** State for the next batch. */
  readonly state: Uint8Array;
  /** Whether a model failed that the pipeline can do without, so another analysis would find more. */
  readonly isDegraded: boolean;
}

/**
 * Turns the frames of one job into the same number of output frames. There is one instance per job. It runs on the
 * inference thread and does not depend on files, encoders or checkpoints.
 */
export interface FramePipeline {
  /** Loads the models. */
  open(source: MediaInfo): Promise<void>;
  /** The first pass over the video; absent: the frames are processed without one. */
  readonly analysis?: VideoAnalysis;
  /** Gets the next columns of the spectrogram of a speech that still arrives. Absent: there is no speech. */
  hear?(mel: Float32Array): void;
  /**
   * Looks at all frames of a batch before `process` gets them, or those of them that are still missing. What the
   * pipeline decides may depend on these frames only. Absent: the pipeline does not need to.
   *
   * @param direction as for `process`
   */
  lookAhead?(
    frames: AsyncIterable<Frame> | Iterable<Frame>,
    signal: AbortSignal,
    direction: Uint8Array | null,
  ): Promise<void>;
  /**
   * One frame out for each frame of a batch, in order. The bytes of a frame may be used again as soon as the next one is
   * requested. Stops with StoppedError when `signal` is aborted. Nothing is kept of earlier frames, so a resumed job gives
   * the same frames as an uninterrupted one.
   *
   * @param direction of the batch, as `VideoAnalysis.direct` gave it; null for a pipeline without analysis
   */
  process(
    frames: AsyncIterable<Frame> | Iterable<Frame>,
    direction: Uint8Array | null,
    signal: AbortSignal,
  ): AsyncIterable<Frame>;
  /** Safe after a failed open; may be called twice. */
  close(): Promise<void>;
  /** Whether frames leave as they came, so that their file needs no copy. Absent: they do not. */
  readonly passesFramesOn?: boolean;
  /** The tile size that was reduced last because memory was short; null while none was. */
  readonly reducedTile: ReducedTile | null;
  /** A sentence for the log that says which engine runs which model, and why. Available after `open`. */
  readonly summary: string;
  /** Whether it computes with WebGPU. Absent: it does not. Available after `open`. */
  readonly usesWebGpu?: boolean;
}
