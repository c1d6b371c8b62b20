import { TransientError } from '../../domain/errors.ts';
import { isBusy, type HardwareReason } from '../../domain/hardware-reason.ts';
import { BackOff } from '../../lib/back-off.ts';
import { NVENC_ENCODER, SOFTWARE_ENCODER, type Codec, type EncoderName } from './encoder-arguments.ts';

/** Pause before NVENC is tried again; each further failure doubles it, up to an hour. */
const FIRST_RETRY_MS = 60_000;
const LONGEST_RETRY_MS = 3_600_000;

export interface ChooserOptions {
  readonly codec: Codec;
  readonly nvenc: boolean;
  /** Whether software encodes what NVENC cannot; otherwise that is a transient error, and the job waits. */
  readonly softwareFallback: boolean;
  readonly now: () => number;
  /** Resolves to the reason why NVENC does not work, or to null when it does; `whyNotNvenc` outside tests. */
  readonly tryNvenc: () => Promise<HardwareReason | null>;
  /** Called with a sentence for the log each time the choice changes. */
  readonly onChoice: (sentence: string) => void;
}

/**
 * Chooses the encoder of the next segment.
 *
 * States: untried → nvenc | software (first trial); nvenc → software (a segment failed on it); software → untried when
 * it is time for another trial. If other programs use the sessions, the next trial comes after a minute; after other
 * failures, the pauses grow. With NVENC switched off: always software.
 */
export class EncoderChooser {
  readonly #options: ChooserOptions;
  readonly #backOff = new BackOff(FIRST_RETRY_MS, LONGEST_RETRY_MS);
  readonly #nvenc: EncoderName | null;
  #state: 'untried' | 'nvenc' | 'software' = 'untried';
  #retryAtMs = 0;

  constructor(options: ChooserOptions) {
    this.#options = options;
    this.#nvenc = options.nvenc ? NVENC_ENCODER[options.codec] : null;
  }

  /** The encoder to use now. */
  async next(): Promise<EncoderName> {
    const { codec, now, onChoice } = this.#options;
    if (
      this.#nvenc !== null &&
      (this.#state === 'untried' || (this.#state === 'software' && now() >= this.#retryAtMs))
    ) {
      await this.#try();
    } else if (this.#nvenc === null && this.#state === 'untried') {
      this.#state = 'software';
      const why =
        codec === 'vp9' ? '' : ': NVENC is disabled (to see why: framekiln config show --why encoder.nvenc)';
      onChoice(`encoding on the CPU with ${SOFTWARE_ENCODER[codec]}${why}`);
    }
    return this.#state === 'nvenc' && this.#nvenc !== null ? this.#nvenc : SOFTWARE_ENCODER[codec];
  }

  /** A segment failed on NVENC: software encodes until the next trial. */
  nvencFailed(reason: HardwareReason): void {
    this.#fallBack(`NVENC failed to encode a batch (${reason.text})`, reason);
  }

  async #try(): Promise<void> {
    const { tryNvenc, onChoice } = this.#options;
    const isFirst = this.#state === 'untried';
    const reason = await tryNvenc();
    if (reason === null) {
      this.#state = 'nvenc';
      onChoice(`encoding on the GPU with ${String(this.#nvenc)}`);
    } else if (isFirst) {
      this.#fallBack(reason.text, reason);
    } else {
      this.#postpone(reason);
    }
  }

  #fallBack(why: string, reason: HardwareReason): void {
    const { codec, softwareFallback, onChoice } = this.#options;
    if (!softwareFallback)
      throw new TransientError(
        'ENCODER_BUSY',
        `Cannot encode with ${String(this.#nvenc)}: ${why}, and software encoding is disabled (encoder.softwareFallback).`,
      );
    this.#state = 'software';
    this.#postpone(reason);
    onChoice(`encoding on the CPU with ${SOFTWARE_ENCODER[codec]}: ${why}`);
  }

  #postpone(reason: HardwareReason): void {
    this.#retryAtMs = this.#options.now() + (isBusy(reason) ? FIRST_RETRY_MS : this.#backOff.nextMs());
  }
}
