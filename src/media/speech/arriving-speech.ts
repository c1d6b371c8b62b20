import { EventEmitter, once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { FfmpegError, InputRejectedError, toError } from '../../domain/errors.ts';
import { QUIET } from '../ffmpeg/ffmpeg-arguments.ts';
import { FfmpegProcess } from '../ffmpeg/ffmpeg-process.ts';
import { LONGEST_SPEECH, SPEECH_FORMATS, SPEECH_OUTPUT, WHOLE_PACKETS } from './decode-speech.ts';
import { SPEECH_RATE } from './mel-spectrogram.ts';

/** ffmpeg would read 5 MB before it decodes. From a WAV file it reads 64 kB all the same. */
const PROBED_BYTES = '8192';

export interface ArrivingBytes {
  /** The bytes of an audio file, as they arrive; ends with an error when the signal is aborted. */
  readonly bytes: (signal: AbortSignal) => AsyncIterable<Buffer>;
  /** Name of the speech in errors. */
  readonly name: string;
  /** A folder that the decoder may read in its sandbox. It needs none. */
  readonly folder: string;
}

/**
 * Decodes a speech to mono samples in -1..1 at SPEECH_RATE while its bytes arrive.
 *
 * States: arriving → ended, or failed. A failure is thrown to everybody who waits, then and later.
 */
export class ArrivingSpeech {
  readonly #name: string;
  readonly #child: FfmpegProcess;
  readonly #changes = new EventEmitter();
  readonly #done: Promise<void>;
  /** Stops waiting for bytes that nobody decodes any more: an input may say nothing for hours. */
  readonly #unheard = new AbortController();
  #samples = new Float32Array(10 * SPEECH_RATE);
  #count = 0;
  #hasEnded = false;
  #failure: Error | null = null;

  constructor({ bytes, name, folder }: ArrivingBytes, signal: AbortSignal) {
    this.#name = name;
    const input = ['-protocol_whitelist', 'pipe', '-format_whitelist', SPEECH_FORMATS, '-i', 'pipe:0'];
    const args = [
      ...QUIET,
      ...WHOLE_PACKETS,
      '-probesize',
      PROBED_BYTES,
      ...input,
      '-flush_packets',
      '1',
      ...SPEECH_OUTPUT,
    ];
    const purpose = `decoding ${name}`;
    this.#child = new FfmpegProcess('ffmpeg', args, { purpose, signal, access: { reads: folder } });
    this.#child.extra.resume();
    // It may wait for the speech as long as the speaker likes.
    this.#child.idle();
    // Each batch that waits listens.
    this.#changes.setMaxListeners(0);
    this.#done = this.#decode(bytes(AbortSignal.any([signal, this.#unheard.signal])));
  }

  /** The samples that have arrived. */
  get samples(): Float32Array {
    return this.#samples.subarray(0, this.#count);
  }

  /** Whether all samples have arrived. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Waits until this many samples have arrived. @returns false if the speech is shorter */
  async reaches(count: number, signal: AbortSignal): Promise<boolean> {
    for (;;) {
      signal.throwIfAborted();
      if (this.#failure !== null) throw this.#failure;
      if (this.#count >= count) return true;
      if (this.#hasEnded) return false;
      // An abort is thrown with its own reason above.
      await once(this.#changes, 'change', { signal }).catch(() => undefined);
    }
  }

  /** Stops decoding. Settles when ffmpeg is gone. */
  async close(): Promise<void> {
    await this.#child.kill();
    this.#unheard.abort();
    await this.#done;
  }

  async #decode(bytes: AsyncIterable<Buffer>): Promise<void> {
    // Where ffmpeg ends while it reads, its exit status says why.
    const feeding = pipeline(bytes, this.#child.stdin).then(
      () => null,
      (error: unknown) => (this.#unheard.signal.aborted || isClosedPipe(error) ? null : toError(error)),
    );
    try {
      let rest = Buffer.alloc(0);
      for await (const chunk of this.#child.stdout as AsyncIterable<Buffer>) {
        const whole = Buffer.concat([rest, chunk]);
        const end = whole.length - (whole.length % 4);
        this.#append(new Float32Array(Uint8Array.from(whole.subarray(0, end)).buffer));
        rest = whole.subarray(end);
      }
      await this.#child.ended;
      this.#failure = await feeding;
      this.#hasEnded = this.#failure === null;
    } catch (error) {
      this.#unheard.abort();
      this.#failure = (await feeding) ?? this.#explained(toError(error));
    }
    this.#changes.emit('change');
  }

  #append(samples: Float32Array): void {
    const count = this.#count + samples.length;
    if (count > LONGEST_SPEECH)
      throw new InputRejectedError('BAD_AUDIO', `${this.#name} is longer than four hours.`);
    if (count > this.#samples.length) {
      const more = new Float32Array(2 * count);
      more.set(this.samples);
      this.#samples = more;
    }
    this.#samples.set(samples, this.#count);
    this.#count = count;
    this.#changes.emit('change');
  }

  #explained(error: Error): Error {
    if (!(error instanceof FfmpegError) || error.code !== 'FFMPEG_FAILED') return error;
    const message = `${this.#name} cannot be read as audio while it arrives: ${error.message}`;
    return new InputRejectedError('BAD_AUDIO', message, { cause: error });
  }
}

function isClosedPipe(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ERR_STREAM_DESTROYED';
}
