import { stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { ObjectStore } from '../../cloud/object-store/object-store.ts';
import { ensureHome, type IdentifiedHome } from '../../config/home.ts';
import type { Settings } from '../../config/settings.ts';
import { EngineError, InternalError } from '../../domain/errors.ts';
import type { BatchRange } from '../../domain/frame-batch.ts';
import type { Recipe, UpscaleRecipe } from '../../domain/recipe.ts';
import { InferenceClient } from '../../inference-thread/client.ts';
import type { InferenceThread } from '../../inference-thread/inference-thread.ts';
import { createDecodeStage, createEncodeStage } from '../../job/batches/create-stages.ts';
import type { DecodeStage } from '../../job/batches/decode-stage.ts';
import type { EncodeStage } from '../../job/batches/encode-stage.ts';
import { JobProgress } from '../../job/batches/job-progress.ts';
import { openFrameFiles, type OpenFrameFiles } from '../../job/batches/open-frame-files.ts';
import { openPipeline } from '../../job/batches/open-pipeline.ts';
import { TileMemory } from '../../job/batches/tile-memory.ts';
import { TransformStage } from '../../job/batches/transform-stage.ts';
import type { JobContext } from '../../job/job-context.ts';
import { prepareJob } from '../../job/prepare/prepare-job.ts';
import { ownOwner } from '../../lib/process/process-identity.ts';
import { Semaphore } from '../../lib/semaphore.ts';
import { sha256File } from '../../lib/sha256-file.ts';
import { DriverSilence } from '../../media/encode/driver-silence.ts';
import { verifySegment } from '../../media/encode/encode-segment.ts';
import { EncoderSemaphore } from '../../media/encode/encoder-semaphore.ts';
import type { Logger } from '../../observability/log-entry.ts';
import { silentLogger } from '../../observability/silent-logger.ts';
import { openQueue } from '../../queue/queue.ts';
import { JobFolder } from '../../workspace/job-folder.ts';
import { indexKey, sourceKey, type FinishedBatch, type VideoSetup } from '../protocol.ts';
import { removeSession, sessionHome } from './session-folders.ts';

export interface SessionOptions {
  readonly setup: VideoSetup;
  readonly store: ObjectStore;
  /** Folder of this session alone; it is removed when the session ends. */
  readonly folder: string;
  readonly settings: Settings;
  readonly modelFolders: readonly string[];
  readonly inferenceThread: Pick<InferenceThread, 'open' | 'openCount'>;
  readonly traceFile: string | null;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** A segment on this machine, verified. */
export interface MadeSegment extends Pick<
  FinishedBatch,
  'segmentSha256' | 'encoder' | 'elapsedMs' | 'framesReused'
> {
  readonly path: string;
}

/**
 * What a worker keeps open for a video: a copy of its source, and the stages of a job with the plan of the coordinator, in a
 * home of its own that holds this one job. Opening it proves that this machine can hold the plan.
 */
export class VideoSession {
  readonly setup: VideoSetup;
  readonly #close: () => Promise<void>;
  readonly #stages: OpenStages;
  /** Each stage takes one batch at a time, in the order of the calls. */
  readonly #turns = { decode: new Semaphore(1), upscale: new Semaphore(1), encode: new Semaphore(1) };

  private constructor(setup: VideoSetup, stages: OpenStages, close: () => Promise<void>) {
    this.setup = setup;
    this.#stages = stages;
    this.#close = close;
  }

  /** @throws what `prepareJob` throws if this machine cannot process the video */
  static async open(options: SessionOptions): Promise<VideoSession> {
    const { setup, log } = options;
    await removeSession(options.folder);
    const home = sessionHome(options.folder);
    ensureHome(home);
    const queue = openQueue(home.databaseFile);
    const inference = new InferenceClient(options.inferenceThread, log);
    const closing: (() => Promise<unknown>)[] = [];
    const close = async (): Promise<void> => {
      for (const step of closing.reverse()) await step();
      await inference.close().finally(() => queue.close());
      await removeSession(options.folder);
    };
    try {
      const sourcePath = await download(options, home);
      const { job, lease } = claimOnlyJob(queue, home, setup, sourcePath);
      const context: JobContext = {
        ...{ home, queue, job, lease, log, inference, settings: pinnedSettings(options.settings) },
        ...{ modelFolders: options.modelFolders, traceFile: options.traceFile, signal: options.signal },
        encoderSemaphore: new EncoderSemaphore(() => 1),
        driverSilence: new DriverSilence(() => performance.now()),
        memoryLimitBytes: Infinity,
      };
      const folder = new JobFolder(home, job.id);
      await folder.create();
      await options.store.getFile(indexKey(setup.key), folder.indexFile);
      const stages = await openStages(context, folder);
      closing.push(stages.frames.remove, () => stages.decode.close());
      return new VideoSession(setup, stages, close);
    } catch (error) {
      await close().catch(() => undefined);
      throw error;
    }
  }

  /**
   * Takes a batch from decode to verify. Several calls overlap, each in another stage.
   *
   * @param onUpscale called when the batch is decoded and its first frame is about to be upscaled, and when its last one is
   */
  async make(
    range: BatchRange,
    signal: AbortSignal,
    onUpscale: (state: 'begins' | 'ends') => void,
  ): Promise<MadeSegment> {
    const { decode, transform, encode, frames } = this.#stages;
    const decoded = await this.#inTurn('decode', signal, () => decode.run(range));
    const transformed = await this.#inTurn('upscale', signal, () => {
      onUpscale('begins');
      return transform.run(decoded, signal);
    });
    onUpscale('ends');
    const encoded = await this.#inTurn('encode', signal, () => encode.run(transformed, signal));
    this.#assertTilePinned();
    await verifySegment(encoded.segment, signal);
    await frames.files.drop(range, 'out');
    const path = encoded.segment.segmentPath;
    return {
      path,
      segmentSha256: await sha256File(path),
      encoder: encoded.encoder,
      elapsedMs: performance.now() - encoded.startedAtMs,
      framesReused: encoded.framesReused,
    };
  }

  close(): Promise<void> {
    return this.#close();
  }

  async #inTurn<Result>(
    stage: 'decode' | 'upscale' | 'encode',
    signal: AbortSignal,
    run: () => Promise<Result>,
  ): Promise<Result> {
    const permit = await this.#turns[stage].acquire({ signal });
    try {
      return await run();
    } finally {
      permit.release();
    }
  }

  /** Frames in smaller tiles could differ from those of other machines. */
  #assertTilePinned(): void {
    if (!this.#stages.hasReducedTile()) return;
    throw new EngineError(
      'OUT_OF_MEMORY',
      'The memory of this machine is too small for the tile size of the plan.',
    );
  }
}

interface OpenStages {
  readonly frames: OpenFrameFiles;
  readonly decode: DecodeStage;
  readonly transform: TransformStage;
  readonly encode: EncodeStage;
  readonly hasReducedTile: () => boolean;
}

async function openStages(context: JobContext, folder: JobFolder): Promise<OpenStages> {
  const prepared = await prepareJob(context, folder);
  const frames = await openFrameFiles(context, folder, prepared.plan);
  const framesTotal = prepared.index.pts.length;
  const plan = await openPipeline(context, prepared, framesTotal);
  const quiet = { ...context, log: silentLogger };
  const { job, queue, log, inference } = context;
  return {
    frames,
    decode: createDecodeStage(context, prepared, frames.files),
    transform: new TransformStage({
      ...{ inference, files: frames.files, log, formats: prepared.formats, directionOf: () => null },
      // The coordinator tells the progress of the whole video.
      progress: new JobProgress(quiet, framesTotal, 0, plan.firstBatchFrames),
      tiles: new TileMemory(context, plan, framesTotal),
    }),
    encode: createEncodeStage(context, prepared, folder),
    hasReducedTile: () => {
      const now = queue.jobs.getJob(job.id)?.plan;
      return (
        now?.tile !== plan.tile || now.gpuTile !== plan.gpuTile || now.otherGpuTile !== plan.otherGpuTile
      );
    },
  };
}

/** Decoders and encoders of GPUs differ from machine to machine; the programs of the CPU do not. */
function pinnedSettings(settings: Settings): Settings {
  return {
    ...settings,
    decoder: { hardware: [] },
    encoder: { ...settings.encoder, nvenc: false, softwareFallback: true },
  };
}

async function download(
  { setup, store, log, signal }: SessionOptions,
  home: Pick<IdentifiedHome, 'input'>,
): Promise<string> {
  const path = join(home.input, `source${extname(setup.name)}`);
  await store.getFile(sourceKey(setup.key), path, { signal });
  if ((await sha256File(path, signal)) !== setup.sourceSha256)
    throw new InternalError(`The copy of ${setup.name} in the cluster store differs from its source.`);
  log.info(`copied from the store (${((await stat(path)).size / 1e6).toFixed(1)} MB)`);
  return path;
}

/** The job in the queue of the session, with the plan of the coordinator. */
function claimOnlyJob(
  queue: ReturnType<typeof openQueue>,
  home: Pick<IdentifiedHome, 'output'>,
  { recipe, plan, framesTotal, device, sourceSha256 }: VideoSetup,
  sourcePath: string,
) {
  const { job } = queue.jobs.enqueue({
    origin: 'add',
    sourcePath,
    outputPath: join(home.output, 'result.mp4'),
    fingerprint: sourceSha256,
    recipe: recipeHere(recipe, device),
    ...{ priority: 0, nowMs: Date.now() },
  });
  const claimed = queue.leases.claim({ owner: ownOwner(), nowMs: Date.now(), leaseMs: 365 * 86_400_000 });
  if (claimed === null) throw new InternalError('The queue of a session has no job.');
  queue.progress.setPlan(claimed.lease, plan, framesTotal);
  return { job: queue.jobs.getJob(job.id) ?? claimed.job, lease: claimed.lease };
}

/** The source in the store is a video, also where it was made from images; the scale and the device are those of the plan. */
function recipeHere({ pipeline, model, scale, tile }: UpscaleRecipe, device: VideoSetup['device']): Recipe {
  return { pipeline, model, scale, tile, device: device === 'gpu' ? 'gpu-only' : 'cpu' };
}
