import type { Readable } from 'node:stream';
import type { MediaInfo } from '../../domain/media-info.ts';
import { ChunkReader } from '../../lib/chunk-reader.ts';
import { FRAME_HASH_OUTPUT, readFrameHashes } from '../index/frame-hash-lines.ts';
import { measureFields, NO_EVIDENCE, type FieldEvidence } from './field-evidence.ts';
import { hasSoftPulldown, planFields, PROGRESSIVE, type FieldPlan } from './field-plan.ts';

/** bwdif needs planes of at least three lines, and the chroma planes of 4:2:0 have half the height of the image. */
const LEAST_EDGE = 16;
/** Columns of the image that are measured; of the lines, all are needed. */
const MOST_COLUMNS = 256;

/** Numbers of the pipes of an ffmpeg process that reports on the fields of a video. */
export interface FieldPipes {
  readonly samples: number;
  readonly marks: number;
}

/** Reads what an ffmpeg process that decodes a whole video reports on its fields. */
export class FieldReader {
  readonly #source: MediaInfo;
  readonly #width: number;
  readonly #height: number;

  private constructor(source: MediaInfo) {
    this.#source = source;
    this.#width = Math.min(MOST_COLUMNS, source.video.width);
    this.#height = source.video.height;
  }

  /** @returns null for a video that has no fields, such as a GIF, or whose lines are columns of the stored image */
  static for(source: MediaInfo): FieldReader | null {
    const { pixelFormat, width, height, rotationDegrees } = source.video;
    const hasFields = /^(yuv|nv|gray|p01)/.test(pixelFormat) && Math.min(width, height) >= LEAST_EDGE;
    return hasFields && rotationDegrees % 180 === 0 ? new FieldReader(source) : null;
  }

  /** Outputs of ffmpeg: samples of the luma of every frame, and the timestamps of frames that are marked as interlaced. */
  outputs({ samples, marks }: FieldPipes): string[] {
    const stream = ['-map', `0:${this.#source.video.index}`];
    const columns = `scale=w=${this.#width}:h=${this.#height}:flags=neighbor,format=gray,setpts=N`;
    return [
      // With timestamps of their own, because ffmpeg reports those that do not increase as errors.
      ...[...stream, '-vf', columns, '-fps_mode', 'passthrough', '-enc_time_base', '-1'],
      ...['-f', 'rawvideo', `pipe:${samples}`],
      ...[...stream, '-vf', 'select=gt(interlace_type\\,0),crop=16:16:0:0'],
      ...[...FRAME_HASH_OUTPUT, `pipe:${marks}`],
    ];
  }

  /** Reads both outputs to their end. @returns the plan for frames with these timestamps */
  async read(samples: Readable, marks: Readable): Promise<(pts: readonly number[]) => FieldPlan> {
    const [evidence, marked] = await Promise.all([this.#evidence(samples), timestamps(marks)]);
    return (pts) => this.#plan(evidence, marked, pts);
  }

  #plan(evidence: readonly FieldEvidence[], marked: ReadonlySet<number>, pts: readonly number[]): FieldPlan {
    const { container } = this.#source;
    const plan = planFields({
      evidence: pts.map((_, frame) => evidence[frame] ?? NO_EVIDENCE),
      isMarked: (frame) => marked.has(pts[frame] ?? NaN),
      canMatchFields: canMatchFields(this.#source),
    });
    const isSoft = plan.treatment === 'none' && /^(mpeg|mpegts|mpegvideo|matroska)/.test(container);
    return isSoft && hasSoftPulldown(pts) ? { ...PROGRESSIVE, pulldown: 'soft' } : plan;
  }

  async #evidence(samples: Readable): Promise<FieldEvidence[]> {
    const reader = new ChunkReader(samples);
    const found: FieldEvidence[] = [];
    let [before, frame]: (Buffer | null)[] = [null, null];
    for (;;) {
      const next = Buffer.allocUnsafe(this.#width * this.#height);
      const isWhole = (await reader.readInto(next)) === next.length;
      if (frame != null)
        found.push(measureFields([before ?? frame, frame, isWhole ? next : frame], this.#width));
      if (!isWhole) return found;
      [before, frame] = [frame ?? null, next];
    }
  }
}

async function timestamps(marks: Readable): Promise<Set<number>> {
  const marked = new Set<number>();
  for await (const { pts } of readFrameHashes(marks)) marked.add(pts);
  return marked;
}

/** Whether ffmpeg can match the fields of film in this pixel format. */
function canMatchFields({ video }: MediaInfo): boolean {
  return /^yuvj?4(20|22|44)p$/.test(video.pixelFormat);
}
