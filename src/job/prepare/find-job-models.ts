import { join } from 'node:path';
import { programRoot } from '../../config/home.ts';
import { ModelError } from '../../domain/errors.ts';
import type { ModelFile } from '../../domain/models.ts';
import { findModel } from '../../inference/models/find-model.ts';
import { readManifest, type Manifest } from '../../inference/models/manifest.ts';
import type { JobContext } from '../job-context.ts';

export interface JobModels {
  /** The recipe's; null for `lanczos`. */
  readonly model: ModelFile | null;
  /** Tells faces apart; null where the job has no use for it, and where it is missing, which is no transient error. */
  readonly embedding: ModelFile | null;
}

const EMBEDDING = 'face-recognition';

/** The files that a job's pipeline loads. @throws ModelError as `findModel` */
export async function findJobModels(context: JobContext): Promise<JobModels> {
  const { job, modelFolders } = context;
  const { recipe } = job;
  if (recipe.model === 'lanczos') return { model: null, embedding: null };
  const manifest = await readManifest(join(programRoot, 'models', 'manifest.json'));
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
  try {
    return await findModel(EMBEDDING, modelFolders, manifest, 'face-embedding');
  } catch (error) {
    const isNeeded = (job.plan?.embeddingSha256 ?? null) !== null;
    if (!(error instanceof ModelError) || error.code !== 'MODEL_MISSING' || isNeeded) throw error;
    log.warn(`${error.message} Until then somebody who was lost is found again by place and size only.`);
    return null;
  }
}
