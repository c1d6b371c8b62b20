import { basename } from 'node:path';
import { FfmpegError } from '../../domain/errors.ts';
import { frameBytes, type FrameFormat, type MediaInfo } from '../../domain/media-info.ts';
import { ChunkReader } from '../../lib/chunk-reader.ts';
import { withoutFullStop } from '../../lib/without-full-stop.ts';
import { inputArguments, QUIET_LENIENT } from '../ffmpeg/ffmpeg-arguments.ts';
import { FfmpegProcess } from '../ffmpeg/ffmpeg-process.ts';
import { FRAME_HASH_OUTPUT, readFrameHashes, type HashedFrame } from '../index/frame-hash-lines.ts';
import type { FrameIndex } from '../index/frame-index.ts';
import { fieldFilters } from '../fields/field-filters.ts';
import { conversionOptions, toFrameFilter } from './frame-filters.ts';
import { entryPoint, type Approach, type EntryPoint } from './decoder-entry.ts';
import { decoderReason, hardwareInput, type HardwareDecoder } from './hardware-decoders.ts';

/** Frames whose pixels are read ahead at most; the queue of an output thread of ffmpeg holds 8 packets. */
const MAX_FRAMES_AHEAD = 16;

/** How a decoder process starts. */
export interface DecoderStart {
  readonly format: FrameFormat;
  /** Number of the first frame that `read` returns. */
  readonly firstFrame: number;
  readonly approach: Approach;
  /** Null: decoding on the CPU. */
  readonly hardware: HardwareDecoder | null;
  readonly maxPixels: number;
  /** Time in ms without a frame after which the process is killed. */
  readonly stallMs: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * A running ffmpeg that decodes a source from a given frame on. It reports the hash of every decoded frame on one pipe
 * and writes the pixels of the wanted frames to another.
 */
export class DecoderProcess {
  readonly #child: FfmpegProcess;
  readonly #pixels: ChunkReader;
  readonly #hashes: AsyncGenerator<HashedFrame>;
  readonly #hardware: HardwareDecoder | null;
  /** Whether a frame precedes the first wanted frame; null once the wanted frame has arrived. */
  #isBefore: EntryPoint['isBefore'] | null;

  constructor(source: MediaInfo, index: FrameIndex, start: DecoderStart) {
    const { format, maxPixels } = start;
    const entry = entryPoint(source, index, start.firstFrame, start.approach);
    const hardware = start.hardware === null ? null : hardwareInput(start.hardware, source.video);
    const download = hardware?.filters ?? [];
    const before = [...(hardware?.before ?? []), '-copyts', ...entry.seek];
    const toFrames = toFrameFilter(source.video, format);
    const args = [
      ...QUIET_LENIENT,
      ...inputArguments(source.path, { maxPixels, before, frameBytes: frameBytes(format) }),
      '-map',
      `0:${source.video.index}`,
      '-vf',
      // Hashes of all frames, including unwanted ones: reaching the first wanted frame may take longer than `stallMs`.
      [...download, 'null'].join(','),
      ...FRAME_HASH_OUTPUT,
      'pipe:3',
      '-map',
      `0:${source.video.index}`,
      '-vf',
      // Deinterlaced before the selection, because the filter needs the neighbours of every frame.
      conversionOptions(source.video) +
        [...download, ...fieldFilters(index), entry.select, toFrames].join(','),
      '-fps_mode',
      'passthrough',
      '-f',
      'rawvideo',
      'pipe:1',
    ];
    this.#child = new FfmpegProcess('ffmpeg', args, {
      purpose: `decoding ${basename(source.path)}`,
      signal: start.signal,
      access: { reads: source.path, devices: hardware?.devices ?? [] },
      stallMs: start.stallMs,
    });
    this.#child.stdin.end();
    this.#child.idle();
    this.#pixels = new ChunkReader(this.#child.stdout);
    this.#hashes = readFrameHashes(this.#child.extra);
    this.#hardware = start.hardware;
    this.#isBefore = entry.isBefore;
  }

  /**
   * Reads the next wanted frame into `target`, which has exactly the size of one frame.
   *
   * @returns timestamp and hash of the frame; null if the output of ffmpeg has ended
   */
  async read(target: Buffer): Promise<HashedFrame | null> {
    this.#child.touch();
    // At the same time, because ffmpeg may block on either pipe.
    const hash = this.#nextHash();
    const [frame, byteCount] = await Promise.all([hash, this.#readPixels(target, hash)]);
    this.#child.idle();
    return byteCount === target.length ? frame : null;
  }

  /**
   * Waits for the end of ffmpeg and says why it failed, as a clause; null if it exited with 0.
   *
   * @param frame number of the frame that is missing
   * @throws the error of a process that was stopped or is missing, or that stalled on the CPU
   */
  async whyFailed(frame: number): Promise<string | null> {
    try {
      await this.#child.ended;
      return null;
    } catch (error) {
      if (!(error instanceof FfmpegError)) throw error;
      if (this.#hardware !== null) return decoderReason(error);
      if (error.code === 'FFMPEG_STALLED') throw error;
      return `at frame ${frame}, ${withoutFullStop(error.message)}`;
    }
  }

  kill(): Promise<void> {
    return this.#child.kill();
  }

  /**
   * Reads the pixels of one frame. While its hash is missing, further pixels are read ahead: ffmpeg writes each output from
   * a thread of its own, so the pixels of several frames may arrive before the hash of the first one, and a full pipe of
   * pixels would keep ffmpeg from ever reporting it.
   */
  async #readPixels(target: Buffer, hash: Promise<unknown>): Promise<number> {
    const byteCount = await this.#pixels.readInto(target);
    const maxBytes = MAX_FRAMES_AHEAD * target.length;
    const stop = hash.then(
      () => false,
      () => false,
    );
    while (this.#pixels.bufferedBytes < maxBytes && (await Promise.race([stop, this.#pixels.prefetch()])));
    return byteCount;
  }

  /** The next wanted frame, or null at the end. Skipped frames count as progress. */
  async #nextHash(): Promise<HashedFrame | null> {
    for (;;) {
      const next = await this.#hashes.next();
      if (next.done === true) return null;
      if (this.#isBefore?.(next.value) !== true) {
        this.#isBefore = null;
        return next.value;
      }
      this.#child.touch();
    }
  }
}
