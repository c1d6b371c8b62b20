import { codeOf } from '../../domain/errors.ts';
import { frameBytes } from '../../domain/media-info.ts';
import type { InferenceClient, TransformOptions, TransformResult } from '../../inference-thread/client.ts';
import type { Logger } from '../../observability/log-entry.ts';
import { measure } from '../../observability/measurements.ts';
import type { PipelineDescription } from '../../pipelines/describe-pipeline.ts';
import { sizeOrZero, type FrameFiles } from '../../workspace/frame-files.ts';
import type { DecodedBatch, TransformedBatch } from './batch-record.ts';
import type { JobProgress } from './job-progress.ts';
import type { TileMemory } from './tile-memory.ts';

export interface TransformStageOptions extends Pick<PipelineDescription, 'formats'> {
  readonly inference: InferenceClient;
  readonly files: FrameFiles;
  readonly progress: JobProgress;
  readonly tiles: TileMemory;
  readonly log: Logger;
  /** What the analysis of the video decided for a batch; null for a pipeline without analysis. */
  readonly directionOf: (batchNumber: number) => Uint8Array | null;
}

/** The second stage of a batch: runs its frames through the pipeline on the inference thread. */
export class TransformStage {
  readonly #options: TransformStageOptions;

  constructor(options: TransformStageOptions) {
    this.#options = options;
  }

  async run(batch: DecodedBatch, signal: AbortSignal): Promise<TransformedBatch> {
    const { files, progress } = this.#options;
    const { range, startedAtMs } = batch;
    if (batch.framesReady > 0) progress.reuse(batch.framesReady);
    const transformed =
      batch.framesReady < range.frameCount
        ? await this.#infer(batch, signal)
        : { outputPath: batch.outputPath, framesReused: null };
    progress.finishBatch(range.frameCount);
    await files.drop(range, 'in');
    return { range, startedAtMs, ...transformed };
  }

  async #infer(
    { range, inputPath, outputPath, framesReady }: DecodedBatch,
    signal: AbortSignal,
  ): Promise<Pick<TransformedBatch, 'outputPath' | 'framesReused'>> {
    const { progress, tiles, log, directionOf } = this.#options;
    let measured = { frames: framesReady, atMs: performance.now() };
    const { outputPath: path, result } = await this.#transform(
      {
        ...{ batch: range, inputPath, outputPath, framesReady },
        direction: directionOf(range.number),
        onProgress: ({ framesReady: ready, reducedTile }) => {
          tiles.remember(reducedTile);
          progress.advance(ready);
          measured = measureFrames(measured, ready);
        },
      },
      signal,
    );
    const { framesInferred, framesReused } = result;
    log.debug(
      `batch ${range.number}: ${framesInferred} of ${range.frameCount} frames inferred; ${Math.round((100 * framesReused) / range.frameCount)} % of the image area reused`,
    );
    return { outputPath: path, framesReused };
  }

  /** Continues in the spill folder when other programs have filled the RAM disk since the batch was placed. */
  async #transform(
    options: TransformOptions,
    signal: AbortSignal,
  ): Promise<{ outputPath: string; result: TransformResult }> {
    const { inference, files, formats } = this.#options;
    const { outputPath } = options;
    try {
      return { outputPath, result: await inference.transform(options, signal) };
    } catch (error) {
      const moved = codeOf(error) === 'DISK_FULL' ? await files.moveToSpill(options.batch, 'out') : null;
      if (moved === null) throw error;
      const framesReady = Math.floor((await sizeOrZero(moved)) / frameBytes(formats.output));
      const again = { ...options, outputPath: moved, framesReady };
      return { outputPath: moved, result: await inference.transform(again, signal) };
    }
  }
}

/** Measures the time per frame since the last progress of the batch. @returns the progress so far */
function measureFrames(
  last: { readonly frames: number; readonly atMs: number },
  frames: number,
): { frames: number; atMs: number } {
  const atMs = performance.now();
  const count = frames - last.frames;
  for (let i = 0; i < count; i++) measure({ kind: 'frame', ms: (atMs - last.atMs) / count });
  return { frames, atMs };
}
