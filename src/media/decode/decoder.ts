import { basename } from 'node:path';
import { FfmpegError, VerificationError } from '../../domain/errors.ts';
import { frameBytes, type FrameFormat, type MediaInfo } from '../../domain/media-info.ts';
import { ChunkReader } from '../../lib/chunk-reader.ts';
import { toRgbFilter } from './color-conversion.ts';
import { inputArguments, QUIET_LENIENT } from '../ffmpeg/ffmpeg-arguments.ts';
import { entryPoint, isSeekable, type Approach } from './decoder-entry.ts';
import { FRAME_HASH_OUTPUT, readFrameHashes, type HashedFrame } from '../index/frame-hash-lines.ts';
import type { FrameIndex } from '../index/frame-index.ts';
import {
  decoderReason,
  hardwareInput,
  type DecoderChoice,
  type HardwareDecoder,
} from './hardware-decoders.ts';
import { FfmpegProcess } from '../ffmpeg/ffmpeg-process.ts';

/** bwdif rejects planes of less than three lines; the chroma of 4:2:0 has half of the image's. */
const LEAST_INTERLACED_EDGE = 16;

/** A GPU that gives nothing for so long hangs. It is not the job's failure: the CPU goes on. */
const HARDWARE_STALL_MS = 20_000;

export interface DecoderOptions {
  readonly format: FrameFormat;
  /** Which hardware may decode; held by the job, and so the same for all its decoders. Left out: the CPU does. */
  readonly choice?: DecoderChoice;
  /** A process that decodes nothing for so long hangs: a GPU's, and the CPU's. */
  readonly hardwareStallMs?: number;
  readonly stallMs?: number;
  readonly maxPixels: number;
  readonly signal?: AbortSignal | undefined;
  /** Something a person should know, such as a seek that did not land where it should. */
  readonly onNote?: (sentence: string) => void;
}

interface DecoderRun {
  readonly child: FfmpegProcess;
  readonly pixels: ChunkReader;
  readonly hashes: AsyncGenerator<HashedFrame>;
  /** Whether a frame stands before the first wanted one; null when that one was met. */
  isBefore: ((frame: HashedFrame) => boolean) | null;
}

/**
 * Decodes a source from any frame on, in order, and holds every frame against the index: its timestamp and the
 * fingerprint of its image. So a frame is never taken for another one, whatever a seek did.
 *
 * States: closed → running (first `read`) → running … → closed. When a frame disagrees with the index the decoder
 * starts again from the beginning of the file at that frame; when it disagrees there too (a damaged file whose
 * concealment is not repeatable) only timestamps count from then on, and that is said once. Before all that stands the
 * hardware that may be used: whatever is wrong with its frames or its process, it is given up at that frame.
 */
export class FrameDecoder {
  readonly #source: MediaInfo;
  readonly #index: FrameIndex;
  readonly #options: DecoderOptions;
  #next: number;
  #approach: Approach;
  #run: DecoderRun | null = null;

  /** @param firstFrame number of the first frame that `read` gives */
  constructor(source: MediaInfo, index: FrameIndex, firstFrame: number, options: DecoderOptions) {
    this.#source = source;
    this.#index = index;
    this.#options = options;
    this.#next = firstFrame;
    this.#approach = this.#firstApproach();
  }

  /** Number of the frame that the next `read` gives. */
  get nextFrame(): number {
    return this.#next;
  }

  /** Decodes the next frame into `target`, which has exactly the size of one frame. */
  async read(target: Buffer): Promise<void> {
    for (;;) {
      const disagreement = await this.#tryRead(target);
      if (disagreement === null) {
        this.#options.choice?.agreed();
        this.#next++;
        return;
      }
      await this.close();
      this.#stepDown(disagreement);
    }
  }

  get #hardware(): HardwareDecoder | null {
    return this.#options.choice?.current ?? null;
  }

  #firstApproach(): Approach {
    return this.#next === 0 || !isSeekable(this.#source) ? 'from-start' : 'seek';
  }

  /** Ends the process. May be called twice. */
  async close(): Promise<void> {
    const run = this.#run;
    this.#run = null;
    await run?.child.kill();
  }

  #stepDown(disagreement: string): void {
    const { choice } = this.#options;
    if (this.#hardware !== null) {
      choice?.failed(this.#next, disagreement);
      this.#approach = this.#firstApproach();
      return;
    }
    const name = basename(this.#source.path);
    switch (this.#approach) {
      case 'seek':
        this.#approach = 'from-start';
        break;
      case 'from-start':
        this.#approach = 'from-start-lenient';
        this.#options.onNote?.(
          `${name} does not decode twice alike (${disagreement}); from there on only the timestamps of its frames are checked.`,
        );
        break;
      case 'from-start-lenient':
        throw new VerificationError(`${name} cannot be decoded as it was indexed: ${disagreement}.`);
    }
  }

  /** @returns null when the frame is the one that the index names, else how it disagrees. */
  async #tryRead(target: Buffer): Promise<string | null> {
    const number = this.#next;
    const run = (this.#run ??= this.#start());
    const { child, pixels } = run;
    child.touch();
    // Both at once: ffmpeg may block on either pipe first.
    const [hashed, bytes] = await Promise.all([nextHash(run), pixels.readInto(target)]);
    child.idle();
    if (hashed === null || bytes !== target.length) {
      const failure = await this.#throwIfFailed(child);
      return failure ?? `it ends before frame ${number} of ${this.#index.pts.length}`;
    }
    const { pts, hash } = hashed;
    const expected = this.#index.pts[number];
    if (pts !== expected) return `frame ${number} has the timestamp ${pts} instead of ${String(expected)}`;
    if (this.#approach !== 'from-start-lenient' && hash !== this.#index.hashes[number]) {
      return `frame ${number} has another image`;
    }
    return null;
  }

  /**
   * A process that was stopped or is missing is no disagreement: its own error goes up.
   *
   * @returns what a GPU's decoder failed of
   */
  async #throwIfFailed(child: FfmpegProcess): Promise<string | null> {
    try {
      await child.ended;
      return null;
    } catch (error) {
      if (!(error instanceof FfmpegError)) throw error;
      if (this.#hardware !== null) return decoderReason(error);
      if (error.code === 'FFMPEG_STALLED') throw error;
      return null;
    }
  }

  #start(): DecoderRun {
    const { format, signal, maxPixels, hardwareStallMs = HARDWARE_STALL_MS, stallMs } = this.#options;
    const { seek, select, isBefore } = entryPoint(this.#source, this.#index, this.#next, this.#approach);
    const hardware = this.#hardware === null ? null : hardwareInput(this.#hardware, this.#source.video);
    const bringDown = hardware?.filters ?? [];
    const before = [...(hardware?.before ?? []), '-copyts', ...seek];
    const args = [
      ...QUIET_LENIENT,
      ...inputArguments(this.#source.path, { maxPixels, before }),
      '-map',
      `0:${this.#source.video.index}`,
      '-vf',
      // Of every frame, wanted or not: to reach the wanted one may take longer than a hang.
      [...bringDown, 'null'].join(','),
      ...FRAME_HASH_OUTPUT,
      'pipe:3',
      '-map',
      `0:${this.#source.video.index}`,
      '-vf',
      [
        ...bringDown,
        ...this.#deinterlace(),
        select,
        toRgbFilter(this.#source.video, format.pixelFormat),
      ].join(','),
      '-fps_mode',
      'passthrough',
      '-f',
      'rawvideo',
      'pipe:1',
    ];
    const child = new FfmpegProcess('ffmpeg', args, {
      purpose: `decoding ${basename(this.#source.path)}`,
      signal,
      access: { reads: this.#source.path, devices: hardware?.devices ?? [] },
      stallMs: hardware === null ? stallMs : hardwareStallMs,
    });
    child.stdin.end();
    child.idle();
    return { child, pixels: new ChunkReader(child.stdout), hashes: readFrameHashes(child.extra), isBefore };
  }

  /**
   * One frame for each frame, from the fields before and after it too; progressive frames pass through. It stands
   * before the selection: a frame's neighbours must be there wherever decoding began.
   */
  #deinterlace(): string[] {
    const { interlaced, width, height } = this.#source.video;
    if (!interlaced || Math.min(width, height) < LEAST_INTERLACED_EDGE) return [];
    const { num, den } = this.#index.timeBase;
    return [`bwdif=mode=send_frame:parity=auto:deint=interlaced,settb=${num}/${den}`];
  }
}

/** The next wanted frame's hash, null at the end. Those before the first wanted one show that the process moves. */
async function nextHash(run: DecoderRun): Promise<HashedFrame | null> {
  for (;;) {
    const next = await run.hashes.next();
    if (next.done === true) return null;
    if (run.isBefore?.(next.value) !== true) {
      run.isBefore = null;
      return next.value;
    }
    run.child.touch();
  }
}

/** A buffer for one frame of this format. */
export function frameBuffer(format: FrameFormat): Buffer {
  return Buffer.allocUnsafe(frameBytes(format));
}
