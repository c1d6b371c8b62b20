import { open, truncate } from 'node:fs/promises';
import { codeOf } from '../../domain/errors.ts';
import type { BatchRange } from '../../domain/frame-batch.ts';
import { frameBytes, type MediaInfo } from '../../domain/media-info.ts';
import { counted } from '../../lib/counted.ts';
import { failPoint } from '../../lib/fail-point.ts';
import { FrameDecoder, frameBuffer, type DecoderOptions } from '../../media/decode/decoder.ts';
import type { FrameIndex } from '../../media/index/frame-index.ts';
import type { Logger } from '../../observability/log-entry.ts';
import type { PipelineDescription } from '../../pipelines/describe-pipeline.ts';
import { sizeOrZero, type FrameFiles } from '../../workspace/frame-files.ts';
import type { DecodedBatch } from './batch-record.ts';

export interface DecodeStageOptions extends Pick<PipelineDescription, 'formats'> {
  readonly media: MediaInfo;
  readonly index: FrameIndex;
  readonly files: FrameFiles;
  readonly decoder: DecoderOptions;
  readonly log: Logger;
}

/** The decoded frames of a batch. */
export type DecodedInput = Pick<DecodedBatch, 'range' | 'startedAtMs' | 'inputPath'>;

/**
 * The first stage of a batch: places its frame files and decodes its source frames into one of them. Frames that an
 * earlier process has left there, transformed or decoded, are used again.
 */
export class DecodeStage {
  readonly #options: DecodeStageOptions;
  /** The decoder, which is kept open between consecutive batches. */
  #decoder: FrameDecoder | null = null;

  constructor(options: DecodeStageOptions) {
    this.#options = options;
  }

  async run(range: BatchRange): Promise<DecodedBatch> {
    const { files, formats, log } = this.#options;
    const startedAtMs = performance.now();
    const inputPath = await files.place(range, 'in', this.#inputBytes(range));
    const outputPath = await files.place(range, 'out', range.frameCount * frameBytes(formats.output));
    const framesReady = await this.#framesReady(range, outputPath);
    const record = { range, startedAtMs, inputPath, outputPath, framesReady };
    if (framesReady > 0)
      log.info(
        `reusing ${counted(framesReady, 'transformed frame')} from before the interruption, starting at frame ${range.firstFrame}`,
      );
    return framesReady === range.frameCount
      ? record
      : { ...record, inputPath: await this.#decodeMissing(range, inputPath) };
  }

  /** Decodes the frames of a batch that is only looked at. */
  async decodeOnly(range: BatchRange): Promise<DecodedInput> {
    const startedAtMs = performance.now();
    const inputPath = await this.#options.files.place(range, 'in', this.#inputBytes(range));
    return { range, startedAtMs, inputPath: await this.#decodeMissing(range, inputPath) };
  }

  async close(): Promise<void> {
    await this.#decoder?.close();
  }

  #inputBytes({ frameCount }: BatchRange): number {
    return frameCount * frameBytes(this.#options.formats.input);
  }

  /** Decodes a batch unless an earlier process has. @returns the path of its frames */
  async #decodeMissing(range: BatchRange, path: string): Promise<string> {
    return (await sizeOrZero(path)) === this.#inputBytes(range) ? path : this.#decode(range, path);
  }

  /** Counts the complete transformed frames in the output file. */
  async #framesReady({ frameCount }: BatchRange, outputPath: string): Promise<number> {
    const bytes = frameBytes(this.#options.formats.output);
    return Math.min(frameCount, Math.floor((await sizeOrZero(outputPath)) / bytes));
  }

  /** Decodes the frames of a batch. @returns their path, which changes if the RAM disk fills up meanwhile */
  async #decode(range: BatchRange, path: string): Promise<string> {
    const { media, index, formats, files, decoder } = this.#options;
    if (this.#decoder?.nextFrame !== range.firstFrame) {
      await this.#decoder?.close();
      this.#decoder = new FrameDecoder(media, index, range.firstFrame, decoder);
    }
    return writeFrames(this.#decoder, range.frameCount, path, frameBuffer(formats.input), () =>
      files.moveToSpill(range, 'in'),
    );
  }
}

/**
 * Writes the decoder's next frames to a file.
 *
 * @param moveToSpill moves the file to a disk with room and returns its new path; null when it is there already
 * @returns the path of the frames
 */
export async function writeFrames(
  decoder: Pick<FrameDecoder, 'read'>,
  frameCount: number,
  path: string,
  frame: Buffer,
  moveToSpill: () => Promise<string | null>,
): Promise<string> {
  failPoint('decoded-frames.before-write');
  let currentPath = path;
  let file = await open(currentPath, 'w');
  try {
    for (let i = 0; i < frameCount; i++) {
      await decoder.read(frame);
      try {
        // Not `write`, which may write only part of the frame when the RAM disk is nearly full.
        await file.appendFile(frame);
      } catch (error) {
        const moved = ['ENOSPC', 'EDQUOT'].includes(codeOf(error)) ? await moveToSpill() : null;
        if (moved === null) throw error;
        currentPath = moved;
        await file.close();
        // Part of this frame may have been written.
        await truncate(currentPath, i * frame.length);
        file = await open(currentPath, 'a');
        await file.appendFile(frame);
      }
    }
    failPoint('decoded-frames.written');
    return currentPath;
  } catch (error) {
    // The next attempt must not take part of a batch for the whole.
    await truncate(currentPath);
    throw error;
  } finally {
    await file.close();
  }
}
