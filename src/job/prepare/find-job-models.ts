import { ModelError } from '../../domain/errors.ts';
import type { ModelFile } from '../../domain/models.ts';
import { namedEnhancer, type DualFaceRecipe } from '../../domain/recipe.ts';
import { findModel } from '../../inference/models/find-model.ts';
import { readKnownModels } from '../../inference/models/known-models.ts';
import type { Manifest } from '../../inference/models/manifest.ts';
import type { JobContext } from '../job-context.ts';

export interface JobModels {
  /** The model of the recipe; null for `lanczos`. */
  readonly model: ModelFile | null;
  /** The face recognition model; null if the job does not use it, or if it was not installed when the job first started. */
  readonly embedding: ModelFile | null;
  /** The model that upscales close-ups of a split screen; null if the job does without. */
  readonly enhancer?: ModelFile | null;
  /** The face detector of a lip-sync job. Absent for other jobs. */
  readonly detector?: ModelFile;
}

const EMBEDDING = 'face-recognition';
/** The model of `enhance: auto`. */
const USUAL_ENHANCER = 'realesr-general-x4v3';

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
  if (recipe.pipeline === 'lip-sync')
    return {
      model: await findModel(recipe.model, modelFolders, manifest, 'lip-sync'),
      embedding: null,
      detector: await findModel(recipe.detector, modelFolders, manifest, 'face-detector'),
    };
  return {
    model: await findModel(recipe.model, modelFolders, manifest, 'face-detector'),
    embedding: await findEmbedding(context, manifest),
    enhancer: await findEnhancer(context, recipe, manifest),
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

async function findEnhancer(
  { job: { plan }, modelFolders, log }: JobContext,
  recipe: DualFaceRecipe,
  manifest: Manifest,
): Promise<ModelFile | null> {
  // What a job has begun without, it ends without.
  if (recipe.enhance === 'off' || (plan !== null && (plan.enhancerSha256 ?? null) === null)) return null;
  const named = namedEnhancer(recipe);
  if (named !== null) return findModel(named, modelFolders, manifest, 'upscale');
  try {
    return await findModel(USUAL_ENHANCER, modelFolders, manifest, 'upscale');
  } catch (error) {
    if (!(error instanceof ModelError) || error.code !== 'MODEL_MISSING' || plan !== null) throw error;
    log.warn(`${error.message} Close-ups of this job are enlarged without a model`);
    return null;
  }
}
