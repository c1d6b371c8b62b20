import type { JobPlan } from '../../domain/job.ts';
import { measure } from '../../observability/measurements.ts';
import type { ReducedTile } from '../../pipelines/frame-pipeline.ts';
import type { JobContext } from '../job-context.ts';

/**
 * Stores the tile size in the plan of the job when it was reduced because memory ran out, so that a resumed job
 * continues with the same tiles as an undisturbed one.
 */
export class TileMemory {
  readonly #context: Pick<JobContext, 'queue' | 'lease' | 'log'>;
  readonly #framesTotal: number;
  #plan: JobPlan;

  constructor(context: Pick<JobContext, 'queue' | 'lease' | 'log'>, plan: JobPlan, framesTotal: number) {
    this.#context = context;
    this.#plan = plan;
    this.#framesTotal = framesTotal;
  }

  /** Stores and logs a reduced tile size. @throws LeaseLostError when another worker has the job */
  remember(reduced: ReducedTile | null): void {
    if (reduced === null) return;
    const { device, tile } = reduced;
    const key = device === 'gpu' ? 'gpuTile' : 'tile';
    if (this.#plan[key] === tile) return;
    const { queue, lease, log } = this.#context;
    const { otherGpuTile: other } = this.#plan;
    // It does not matter which engine of the GPU had too little memory: the other tiles only get smaller.
    const isOtherReduced = key === 'gpuTile' && other !== undefined && (other === null || other > tile);
    this.#plan = { ...this.#plan, [key]: tile, ...(isOtherReduced ? { otherGpuTile: tile } : {}) };
    queue.progress.setPlan(lease, this.#plan, this.#framesTotal);
    measure({ kind: 'fallback', of: 'tile' });
    log.warn(`${device === 'gpu' ? 'GPU ' : ''}out of memory; tile size reduced to ${tile} px`);
  }
}
