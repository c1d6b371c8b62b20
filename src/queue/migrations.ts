import type { Migration } from './migrate.ts';
import { firstSchema } from './migrations/0001-first-schema.ts';
import { refusalCode } from './migrations/0002-refusal-code.ts';
import { published } from './migrations/0003-published.ts';
import { outputIndex } from './migrations/0004-output-index.ts';
import { tileSizes } from './migrations/0005-tile-sizes.ts';
import { videoShape } from './migrations/0006-video-shape.ts';
import { names } from './migrations/0007-names.ts';
import { outputs } from './migrations/0008-outputs.ts';
import { takenSignature } from './migrations/0009-taken-signature.ts';
import { framesReused } from './migrations/0010-frames-reused.ts';
import { analysedBatches } from './migrations/0011-analysed-batches.ts';
import { position } from './migrations/0012-position.ts';
import { hookRuns } from './migrations/0013-hook-runs.ts';
import { analysisTime } from './migrations/0014-analysis-time.ts';

/** Every migration, in order. Append only. */
export const MIGRATIONS: readonly Migration[] = [
  firstSchema,
  refusalCode,
  published,
  outputIndex,
  tileSizes,
  videoShape,
  names,
  outputs,
  takenSignature,
  framesReused,
  analysedBatches,
  position,
  hookRuns,
  analysisTime,
];
