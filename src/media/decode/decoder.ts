import { basename } from 'node:path';
import { VerificationError } from '../../domain/errors.ts';
import { frameBytes, type FrameFormat, type MediaInfo } from '../../domain/media-info.ts';
import type { FrameIndex } from '../index/frame-index.ts';
import { isSeekable, type Approach } from './decoder-entry.ts';
import { DecoderProcess } from './decoder-process.ts';
import type { DecoderChoice } from './hardware-decoders.ts';

/** Short, because a hung GPU decoder costs no attempt: decoding continues on the CPU. */
const HARDWARE_STALL_MS = 20_000;

export interface DecoderOptions {
  readonly format: FrameFormat;
  /** Which hardware decoder to use, shared by all decoders of a job. Default: the CPU. */
  readonly choice?: DecoderChoice;
  /** Time in ms without a frame after which a hardware decoder counts as hung. */
  readonly hardwareStallMs?: number;
  /** Time in ms without a frame after which decoding on the CPU counts as hung. */
  readonly stallMs?: number;
  readonly maxPixels: number;
  readonly signal?: AbortSignal | undefined;
  /** Rejects if the source is no longer the file that was indexed; asked before a mismatch is blamed on its content. */
  readonly assertSource?: () => Promise<void>;
  /** Receives warnings for the log. */
  readonly onNote?: (sentence: string) => void;
}

/**
 * Decodes a source in order, starting at any frame. Timestamp and image hash of every frame are compared with the frame
 * index, so that a wrong seek cannot return the wrong frame.
 *
 * States: closed → running (first `read`) → closed. After a mismatch the decoder restarts at the same frame with the
 * next approach:
 *
 * 1. hardware, if allowed: any failure or mismatch switches to the next decoder,
 * 2. on the CPU after a seek,
 * 3. on the CPU from the start of the file,
 * 4. the same, but only timestamps are compared: a damaged file may decode differently each time. A warning says so.
 */
export class FrameDecoder {
  readonly #source: MediaInfo;
  readonly #index: FrameIndex;
  readonly #options: DecoderOptions;
  #next: number;
  #approach: Approach;
  #process: DecoderProcess | null = null;

  /** @param firstFrame number of the first frame that `read` returns */
  constructor(source: MediaInfo, index: FrameIndex, firstFrame: number, options: DecoderOptions) {
    this.#source = source;
    this.#index = index;
    this.#options = options;
    this.#next = firstFrame;
    this.#approach = this.#firstApproach();
  }

  /** Number of the frame that the next `read` returns. */
  get nextFrame(): number {
    return this.#next;
  }

  /**
   * Decodes the next frame into `target`, which has exactly the size of one frame.
   *
   * @throws VerificationError if no approach produces the frame
   */
  async read(target: Buffer): Promise<void> {
    for (;;) {
      const mismatch = await this.#tryRead(target);
      if (mismatch === null) {
        this.#options.choice?.agreed();
        this.#next++;
        return;
      }
      await this.close();
      await this.#stepDown(mismatch);
    }
  }

  /** Ends the process. Can be called twice. */
  async close(): Promise<void> {
    const process = this.#process;
    this.#process = null;
    await process?.kill();
  }

  #firstApproach(): Approach {
    return this.#next === 0 || !isSeekable(this.#source) ? 'from-start' : 'seek';
  }

  /** Chooses the next approach after a mismatch. */
  async #stepDown(mismatch: string): Promise<void> {
    const { choice } = this.#options;
    if (choice !== undefined && choice.current !== null) {
      choice.failed(this.#next, mismatch);
      this.#approach = this.#firstApproach();
      return;
    }
    const name = basename(this.#source.path);
    switch (this.#approach) {
      case 'seek':
        this.#approach = 'from-start';
        break;
      case 'from-start':
        await this.#options.assertSource?.();
        this.#approach = 'from-start-lenient';
        this.#options.onNote?.(
          `${name} does not decode as it did when it was indexed: ${mismatch}; decoding it again and checking only timestamps from frame ${this.#next} on`,
        );
        break;
      case 'from-start-lenient':
        throw new VerificationError(`${name} no longer decodes to the frames in its index: ${mismatch}.`);
    }
  }

  /** @returns null if the frame matches the index, else the mismatch */
  async #tryRead(target: Buffer): Promise<string | null> {
    const number = this.#next;
    const process = (this.#process ??= this.#start());
    const frame = await process.read(target);
    if (frame === null) {
      return (
        (await process.whyFailed(number)) ??
        `ffmpeg ended before frame ${number} of ${this.#index.pts.length}`
      );
    }
    const expected = this.#index.pts[number];
    if (frame.pts !== expected)
      return `frame ${number} has timestamp ${frame.pts} instead of ${String(expected)}`;
    if (this.#approach !== 'from-start-lenient' && frame.hash !== this.#index.hashes[number])
      return `the image of frame ${number} does not match the index`;
    return null;
  }

  #start(): DecoderProcess {
    const { choice, format, maxPixels, signal, hardwareStallMs = HARDWARE_STALL_MS } = this.#options;
    const hardware = choice?.current ?? null;
    return new DecoderProcess(this.#source, this.#index, {
      ...{ format, maxPixels, signal, hardware },
      firstFrame: this.#next,
      approach: this.#approach,
      stallMs: hardware === null ? this.#options.stallMs : hardwareStallMs,
    });
  }
}

/** Allocates a buffer for one frame of this format. */
export function frameBuffer(format: FrameFormat): Buffer {
  return Buffer.allocUnsafe(frameBytes(format));
}
