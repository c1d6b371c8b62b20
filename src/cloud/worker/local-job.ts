import { randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { ensureHome, homeAt, type Home, type IdentifiedHome } from '../../config/home.ts';
import { recogniseHome } from '../../daemon/recognise-home.ts';
import type { Job, JobPlan } from '../../domain/job.ts';
import type { Recipe } from '../../domain/recipe.ts';
import { hasVideoExtension } from '../../domain/video-extensions.ts';
import { ownOwner } from '../../lib/process/process-identity.ts';
import type { Logger } from '../../observability/log-entry.ts';
import { LEASE_MS } from '../../queue/lease-store.ts';
import { openQueue, type Queue } from '../../queue/queue.ts';
import { JobFolder } from '../../workspace/job-folder.ts';
import { ramDiskPlaces } from '../../workspace/ram-disk-places.ts';
import { removeRamDiskOf } from '../../workspace/ram-disk.ts';
import type { StoredRow } from '../state/job-state.ts';

/** Folder for the homes of single jobs, in the home of the worker. */
export function cloudFolder(home: Pick<Home, 'stateDir'>): string {
  return join(home.stateDir, 'cloud');
}

/** Checkpoints that were fetched from the store, with their segments on the disk. */
export interface Restored {
  readonly plan: JobPlan;
  readonly framesTotal: number;
  readonly rows: readonly StoredRow[];
}

/**
 * A home for one job, with a database of its own, in the folder of the worker: what the store has is put into it, and it is
 * removed afterwards. It shares models and settings with the worker's home.
 */
export class LocalJob {
  readonly home: IdentifiedHome;
  readonly queue: Queue;
  readonly sourcePath: string;
  #job: Job | null = null;

  private constructor(home: IdentifiedHome, queue: Queue, sourcePath: string) {
    this.home = home;
    this.queue = queue;
    this.sourcePath = sourcePath;
  }

  /** @param key of the video, whose extension the local file gets */
  static async open(base: Home, key: string, log: Logger): Promise<LocalJob> {
    const root = join(cloudFolder(base), randomBytes(6).toString('hex'));
    mkdirSync(join(root, '.framekiln'), { recursive: true });
    symlinkSync(base.models, join(root, 'models'));
    const home = homeAt(root);
    for (const name of ['configFile', 'detectedFile', 'probeFile', 'precisionsFile'] as const)
      if (existsSync(base[name])) copyFileSync(base[name], home[name]);
    ensureHome(home);
    const queue = openQueue(home.databaseFile);
    const identified = await recogniseHome(home, queue, log);
    const extension = hasVideoExtension(key) ? extname(key).toLowerCase() : '.mp4';
    const folder = join(root, 'source');
    mkdirSync(folder);
    return new LocalJob(identified, queue, join(folder, `source${extension}`));
  }

  /** Enters the job. Call it once, when the source is there. */
  enter(fingerprint: string, recipe: Recipe): Job {
    this.#job = this.queue.jobs.enqueue({
      ...{ origin: 'run', sourcePath: this.sourcePath, fingerprint, recipe, priority: 0 },
      outputPath: join(this.home.output, `result${extname(this.sourcePath)}`),
      nowMs: Date.now(),
    }).job;
    return this.#job;
  }

  get id(): number {
    return this.now().id;
  }

  /** The job as it is now. */
  now(): Job {
    const job = this.#job === null ? null : this.queue.jobs.getJob(this.#job.id);
    if (job === null) throw new Error('The job of the message is not in its database.');
    return job;
  }

  get folder(): JobFolder {
    return new JobFolder(this.home, this.id);
  }

  /** Enters what other workers have done. Its segments and frame index are in the job folder already. */
  restore({ plan, framesTotal, rows }: Restored): void {
    const { leases, progress, batches } = this.queue;
    const request = { owner: ownOwner(), nowMs: Date.now(), leaseMs: LEASE_MS, onlyJobId: this.id };
    const claimed = leases.claim(request);
    if (claimed === null) throw new Error('The job of the message cannot be claimed.');
    const { lease } = claimed;
    progress.setPlan(lease, plan, framesTotal);
    for (const row of rows) batches.commitBatch(lease, row, Date.now());
    const nothing = { notBeforeAtMs: null, note: null, errorCode: null, errorMessage: null };
    leases.release(lease, { countAttempt: false, ...nothing });
  }

  /** Removes everything of the job from this machine. */
  async remove(): Promise<void> {
    if (this.#job !== null) await removeRamDiskOf(ramDiskPlaces(this.home), this.#job.id);
    this.queue.close();
    await rm(this.home.root, { recursive: true, force: true });
  }
}

/** Removes the homes of jobs that a killed worker left. Call it while no other worker uses the home. */
export async function removeLeftJobs(base: Home, log: Logger): Promise<void> {
  if (!existsSync(cloudFolder(base))) return;
  for (const name of readdirSync(cloudFolder(base))) {
    const home = homeAt(join(cloudFolder(base), name));
    if (existsSync(home.databaseFile)) {
      const queue = openQueue(home.databaseFile);
      const identified = await recogniseHome(home, queue, log);
      for (const { id } of queue.jobs.listJobs({})) await removeRamDiskOf(ramDiskPlaces(identified), id);
      queue.close();
    }
    await rm(home.root, { recursive: true, force: true });
  }
}
