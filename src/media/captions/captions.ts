/**
 * The closed captions of a video (CEA-608 and CEA-708), by frame: bytes of `cc_data` as in ATSC A/53 part 4, three for each
 * pair of characters. Most frames carry the same padding, so each payload is held once.
 */
export interface Captions {
  readonly payloads: readonly Buffer[];
  /** For each frame, the number of its payload, counted from 1; 0 if it has no captions. */
  readonly ofFrame: Uint32Array;
}

/** More than any frame needs (a DVD has those of half a second in one), so that a hostile file cannot fill the memory. */
const MOST_BYTES_PER_FRAME = 124 * 3;

/** The captions of a frame; null if it has none. */
export function captionsOf({ payloads, ofFrame }: Captions, frame: number): Buffer | null {
  return payloads[(ofFrame[frame] ?? 0) - 1] ?? null;
}

/** The first frame whose captions differ; null if all are equal. */
export function firstDifference(wanted: Captions, found: Captions | null): number | null {
  for (let frame = 0; frame < wanted.ofFrame.length; frame++) {
    const [a, b] = [captionsOf(wanted, frame), found === null ? null : captionsOf(found, frame)];
    if (a === null ? b !== null : b === null || !a.equals(b)) return frame;
  }
  return null;
}

/** Collects the captions of frames in display order. */
export class CaptionCollector {
  readonly #numbers = new Map<string, number>();
  readonly #payloads: Buffer[] = [];
  readonly #ofFrame: number[] = [];

  /** Adds the payload of the next frame; empty if it has none. */
  add(payload: Buffer): void {
    const bytes = payload.subarray(0, MOST_BYTES_PER_FRAME);
    const key = bytes.toString('latin1');
    let number = bytes.length === 0 ? 0 : this.#numbers.get(key);
    if (number === undefined) {
      number = this.#payloads.push(Buffer.from(bytes));
      this.#numbers.set(key, number);
    }
    this.#ofFrame.push(number);
  }

  /**
   * @param times timestamps of the frames with captions, in the order in which these were added
   * @param pts timestamps of all frames
   * @returns null if no frame has captions
   */
  finish(times: readonly number[], pts: ArrayLike<number>): Captions | null {
    const ofFrame = new Uint32Array(pts.length);
    let next = 0;
    for (let frame = 0; frame < pts.length; frame++) {
      const time = pts[frame] ?? Infinity;
      // Frames that the index leaves out have no place for their captions.
      while ((times[next] ?? Infinity) < time) next++;
      if (times[next] === time) ofFrame[frame] = this.#ofFrame[next++] ?? 0;
    }
    return this.#payloads.length === 0 ? null : { payloads: this.#payloads, ofFrame };
  }
}
