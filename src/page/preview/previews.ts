import type { IdentifiedHome } from '../../config/home.ts';
import type { Settings } from '../../config/settings.ts';
import { codeOf, FramekilnError, toError } from '../../domain/errors.ts';
import type { Job } from '../../domain/job.ts';
import { Semaphore } from '../../lib/semaphore.ts';
import { previewFrame } from '../../media/preview/preview-frame.ts';
import type { Queue } from '../../queue/queue.ts';
import { HttpError } from '../http-error.ts';
import { noPreview, placeInBatch, placeInFile, type Side } from './preview-sources.ts';

/** Images kept in memory; each takes up to half a megabyte. */
const KEPT = 24;
/** Requests that may wait; more would only make everyone wait longer. */
const MOST_WAITING = 12;
const MEGAPIXEL = 1e6;

export interface PreviewSources {
  readonly home: IdentifiedHome;
  readonly queue: Queue;
  readonly settings: () => Settings;
  readonly signal: AbortSignal;
}

/** Which image of a job: of a batch, by its number, or of a finished job, at a share of the duration from 0 to 1. */
export interface PreviewOf {
  readonly side: Side;
  readonly batch?: number | undefined;
  readonly moment: number;
}

/** Makes images for comparisons when somebody asks for one. One ffmpeg runs at a time, so that jobs lose little by it. */
export class Previews {
  readonly #sources: PreviewSources;
  readonly #oneAtATime = new Semaphore(1);
  readonly #kept = new Map<string, Buffer>();
  #waiting = 0;

  constructor(sources: PreviewSources) {
    this.#sources = sources;
  }

  /** @returns a JPEG image @throws HttpError if there is none */
  async image(job: Job, of: PreviewOf): Promise<Buffer> {
    const key = JSON.stringify([job.id, job.finishedAtMs, job.state === 'done', of]);
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    if (this.#waiting >= MOST_WAITING)
      throw new HttpError(503, 'BUSY', 'Too many previews are being made; try again.');
    this.#waiting++;
    const permit = await this.#oneAtATime.acquire();
    try {
      const image = this.#kept.get(key) ?? (await this.#make(job, of));
      this.#keep(key, image);
      return image;
    } catch (error) {
      if (this.#sources.signal.aborted || error instanceof HttpError) throw error;
      // A source that was moved, a damaged file, a segment that was just removed.
      const isExpected = error instanceof FramekilnError || codeOf(error) === 'ENOENT';
      throw isExpected ? new HttpError(404, 'NO_PREVIEW', toError(error).message) : error;
    } finally {
      this.#waiting--;
      permit.release();
    }
  }

  async #make(job: Job, { side, batch: number, moment }: PreviewOf): Promise<Buffer> {
    const { home, queue, settings, signal } = this.#sources;
    const { limits } = settings();
    const batch = number === undefined ? null : queue.batches.getBatch(job.id, number);
    if (batch === null && job.state !== 'done') throw noPreview();
    const place =
      batch === null || job.state === 'done'
        ? await placeInFile(job, limits, { side, moment, signal })
        : await placeInBatch(home, job, batch, side);
    const megapixels = side === 'before' ? limits.inputMegapixels : limits.outputMegapixels;
    const image = await previewFrame({ ...place, maxPixels: megapixels * MEGAPIXEL, signal });
    if (image.length === 0) throw noPreview();
    return image;
  }

  #keep(key: string, image: Buffer): void {
    this.#kept.set(key, image);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT && oldest !== undefined) this.#kept.delete(oldest);
  }
}
