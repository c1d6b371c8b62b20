import type { FfmpegFacts } from './ffmpeg-facts.ts';
import type { GpuFacts } from './gpus.ts';
import type { MachineFacts } from './machine-facts.ts';
import type { SessionFact } from './sessions.ts';

/** What was found out about this machine by doing. */
export interface HardwareFacts extends GpuFacts {
  readonly machine: MachineFacts;
  /** null where no ffmpeg answers. */
  readonly ffmpeg: FfmpegFacts | null;
  /** A row for each codec, size and bit depth that was tried. */
  readonly nvenc: readonly SessionFact[];
  readonly nvdec: readonly SessionFact[];
  /** Empty where there is no render node. */
  readonly vaapi: readonly SessionFact[];
}
