import type { JobOrigin } from '../domain/job.ts';
import type { Recipe } from '../domain/recipe.ts';
import type { VideoShape } from '../domain/video-shape.ts';

export interface NewJob {
  readonly origin: JobOrigin;
  /** Absolute. */
  readonly sourcePath: string;
  /** Absolute; changed if another video has that name. */
  readonly outputPath: string;
  /** sha256 of the source's bytes, hex. */
  readonly fingerprint: string;
  readonly recipe: Recipe;
  /** Omitted if the headers of the video were not read. */
  readonly video?: VideoShape;
  readonly priority: number;
  readonly nowMs: number;
}
