import { ModelError } from '../../domain/errors.ts';
import type { ModelFile } from '../../domain/models.ts';
import { findModel } from '../../inference/models/find-model.ts';
import { readKnownModels } from '../../inference/models/known-models.ts';
import type { Manifest } from '../../inference/models/manifest.ts';
import type { JobContext } from '../job-context.ts';

export interface JobModels {
  /** The model of the recipe; null for `lanczos`. */
  readonly model: ModelFile | null;
  /** The face recognition model; null if the job does not use it, or if it was not installed when the job first started. */
  readonly embedding: ModelFile | null;
}

const EMBEDDING = 'face-recognition';

/** Finds the model files that the pipeline of a job loads. @throws ModelError as `findModel` does */
export async function findJobModels(context: JobContext): Promise<JobModels> {
  const { job, modelFolders } = context;
  const { recipe } = job;
  if (recipe.model === 'lanczos') return { model: null, embedding: null };
  const manifest = await readKnownModels();
  if (recipe.pipeline === 'upscale')
    return {
      model: await findModel(recipe.model, modelFolders, manifest, 'upscale'),
      embedding: null,
    };
  return {
    model: await findModel(recipe.model, modelFolders, manifest, 'face-detector'),
    embedding: await findEmbedding(context, manifest),
  };
}

async function findEmbedding(
  { job, modelFolders, log }: JobContext,
  manifest: Manifest,
): Promise<ModelFile | null> {
  // Installed since then, as the log suggested, it must not change how the rest of the video looks.
  if (job.plan?.embeddingSha256 === null) return null;
  try {
    return await findModel(EMBEDDING, modelFolders, manifest, 'face-embedding');
  } catch (error) {
    const isNeeded = (job.plan?.embeddingSha256 ?? null) !== null;
    if (!(error instanceof ModelError) || error.code !== 'MODEL_MISSING' || isNeeded) throw error;
    log.warn(`${error.message} This job identifies people by position and size only`);
    return null;
  }
}
