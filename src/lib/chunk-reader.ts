import type { Readable } from 'node:stream';

/** Reads a byte stream in chunks of any size and copies each byte only once. */
export class ChunkReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #buffered: Buffer[] = [];
  #bufferedBytes = 0;
  /** The read in progress; resolves to false at the end of the stream. */
  #reading: Promise<boolean> | null = null;

  constructor(stream: Readable) {
    this.#chunks = (stream as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  }

  /** Bytes that were read ahead by `prefetch` and not yet asked for. */
  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  /** Reads one more chunk of the stream ahead. @returns false at the end of the stream */
  prefetch(): Promise<boolean> {
    if (this.#reading === null) {
      this.#reading = this.#readChunk().finally(() => (this.#reading = null));
      // Avoids an unhandled rejection if nothing awaits the read when the stream is destroyed; a caller still gets the error.
      this.#reading.catch(() => undefined);
    }
    return this.#reading;
  }

  /**
   * Fills `target` from the stream.
   *
   * @returns the number of bytes read; less than the size of `target` only at the end of the stream
   */
  async readInto(target: Buffer): Promise<number> {
    let filled = 0;
    while (filled < target.length) {
      const [chunk] = this.#buffered;
      if (chunk === undefined) {
        if (!(await this.prefetch())) break;
        continue;
      }
      const copied = chunk.copy(target, filled);
      filled += copied;
      this.#bufferedBytes -= copied;
      if (copied === chunk.length) this.#buffered.shift();
      else this.#buffered[0] = chunk.subarray(copied);
    }
    return filled;
  }

  async #readChunk(): Promise<boolean> {
    const next = await this.#chunks.next();
    if (next.done === true) return false;
    this.#buffered.push(next.value);
    this.#bufferedBytes += next.value.length;
    return true;
  }
}
