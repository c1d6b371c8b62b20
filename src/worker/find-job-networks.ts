import { join } from 'node:path';
import { programRoot } from '../config/home.ts';
import { NetworkError } from '../domain/errors.ts';
import type { NetworkFile } from '../domain/networks.ts';
import { findNetwork } from '../inference/networks/find-network.ts';
import { readManifest, type Manifest } from '../inference/networks/manifest.ts';
import type { JobContext } from './job-context.ts';

export interface JobNetworks {
  /** The recipe's; null for `lanczos`. */
  readonly network: NetworkFile | null;
  /** Tells faces apart; null where the job has no use for it, and where it is missing, which is no obstacle. */
  readonly embedding: NetworkFile | null;
}

const EMBEDDING = 'face-recognition';

/** The files that a job's pipeline loads. @throws NetworkError as `findNetwork` */
export async function findJobNetworks(context: JobContext): Promise<JobNetworks> {
  const { job, networkFolders } = context;
  const { recipe } = job;
  if (recipe.network === 'lanczos') return { network: null, embedding: null };
  const manifest = await readManifest(join(programRoot, 'models', 'manifest.json'));
  if (recipe.pipeline === 'upscale')
    return {
      network: await findNetwork(recipe.network, networkFolders, manifest, 'upscale'),
      embedding: null,
    };
  return {
    network: await findNetwork(recipe.network, networkFolders, manifest, 'face-detector'),
    embedding: await findEmbedding(context, manifest),
  };
}

async function findEmbedding(
  { job, networkFolders, log }: JobContext,
  manifest: Manifest,
): Promise<NetworkFile | null> {
  try {
    return await findNetwork(EMBEDDING, networkFolders, manifest, 'face-embedding');
  } catch (error) {
    const isNeeded = (job.plan?.embeddingSha256 ?? null) !== null;
    if (!(error instanceof NetworkError) || error.code !== 'NETWORK_MISSING' || isNeeded) throw error;
    log.warn(`${error.message} Until then somebody who was lost is found again by place and size only.`);
    return null;
  }
}
