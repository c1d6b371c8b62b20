/** Blocks per second of which the energy is kept. */
const BLOCKS = 100;
/** Full scale of a sample. */
const FULL = 2 ** 15;

/** Measures the loudness of mono audio with samples of 16 bits, little-endian, that arrives in pieces. */
export class LoudnessMeter {
  readonly #samplesInBlock: number;
  /** Mean square of each block, with full scale 1. */
  readonly #blocks: number[] = [];
  #sum = 0;
  #count = 0;
  #oddByte: number | null = null;

  /** @param rate samples per second; a multiple of 100 */
  constructor(rate: number) {
    this.#samplesInBlock = rate / BLOCKS;
  }

  add(chunk: Buffer): void {
    let at = 0;
    if (this.#oddByte !== null && chunk.length > 0) {
      this.#addSample(Buffer.from([this.#oddByte, chunk[0] ?? 0]).readInt16LE());
      this.#oddByte = null;
      at = 1;
    }
    for (; at + 1 < chunk.length; at += 2) this.#addSample(chunk.readInt16LE(at));
    if (at < chunk.length) this.#oddByte = chunk[at] ?? 0;
  }

  /**
   * The loudness between two times in seconds, of at least one block.
   *
   * @returns decibels below full scale; -Infinity where there is no audio
   */
  between(from: number, to: number): number {
    const first = Math.floor(from * BLOCKS);
    const blocks = this.#blocks.slice(Math.max(0, first), Math.max(0, first + 1, Math.floor(to * BLOCKS)));
    const mean = blocks.reduce((sum, square) => sum + square, 0) / Math.max(1, blocks.length);
    return 10 * Math.log10(mean);
  }

  #addSample(sample: number): void {
    this.#sum += (sample / FULL) ** 2;
    if (++this.#count < this.#samplesInBlock) return;
    this.#blocks.push(this.#sum / this.#count);
    [this.#sum, this.#count] = [0, 0];
  }
}
