import type { FfmpegFacts } from './ffmpeg-facts.ts';
import type { GpuFacts } from './gpus.ts';
import type { MachineFacts } from './machine-facts.ts';
import type { SessionFact } from './sessions.ts';

/** What trials have shown about this machine. */
export interface HardwareFacts extends GpuFacts {
  readonly machine: MachineFacts;
  /** What is known about ffmpeg; null if it is missing or does not run. */
  readonly ffmpeg: FfmpegFacts | null;
  /** A row for each codec, size and bit depth that was tried. */
  readonly nvenc: readonly SessionFact[];
  readonly nvdec: readonly SessionFact[];
  /** Empty where there is no render node. */
  readonly vaapi: readonly SessionFact[];
}
