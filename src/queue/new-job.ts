import type { JobOrigin } from '../domain/job.ts';
import type { Recipe } from '../domain/recipe.ts';
import type { VideoShape } from '../domain/video-shape.ts';

export interface NewJob {
  readonly origin: JobOrigin;
  /** Absolute path of the source. */
  readonly sourcePath: string;
  /** Absolute path of the output; the job gets another one if another video has that name. */
  readonly outputPath: string;
  /** SHA-256 of the source, in hex. */
  readonly fingerprint: string;
  readonly recipe: Recipe;
  /** Shape of the video; omitted if its headers were not read. */
  readonly video?: VideoShape;
  readonly priority: number;
  readonly nowMs: number;
}
