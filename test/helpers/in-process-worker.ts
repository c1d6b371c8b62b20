import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { ensureHome } from '../../src/config/home.ts';
import { SAFE_DEFAULTS, type Settings } from '../../src/config/settings.ts';
import type { Job } from '../../src/domain/job.ts';
import type { Device } from '../../src/domain/recipe.ts';
import type { Engine } from '../../src/inference/engine.ts';
import { ownOwner } from '../../src/lib/process/process-identity.ts';
import { sha256File } from '../../src/lib/sha256-file.ts';
import { DriverSilence } from '../../src/media/encode/driver-silence.ts';
import { EncoderSemaphore } from '../../src/media/encode/encoder-semaphore.ts';
import type { Logger } from '../../src/observability/log-entry.ts';
import { openQueue } from '../../src/queue/queue.ts';
import { runJob } from '../../src/job/run-job.ts';
import { InferenceClient } from '../../src/inference-thread/client.ts';
import { InferencePort } from '../../src/inference-thread/inference-thread.ts';
import { PipelineRunner } from '../../src/inference-thread/pipeline-runner.ts';
import { createPipeline } from '../../src/pipelines/create-pipeline.ts';
import type { PipelineSetup } from '../../src/inference-thread/protocol.ts';
import { makeClip } from './clips.ts';
import { identifiedHomeAt } from './identified-home.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { tinySrvgg } from './tiny-models.ts';

/** An inference thread that runs in this process, with one engine. */
export function threadWith(engine: Engine) {
  return {
    openCount: 1,
    open(setup: PipelineSetup): InferencePort {
      const port: InferencePort = new InferencePort((message) => {
        void runner.receive(message)?.finally(() => port.emit('exit'));
      });
      const runner = new PipelineRunner(setup, { create: createPipeline, engines: [engine] }, (message) =>
        setImmediate(() => port.emit('message', message)),
      );
      return port;
    },
  };
}

export function loggerInto(lines: string[]): Logger {
  const log: Logger = {
    debug: () => undefined,
    info: (message) => void lines.push(message),
    warn: (message) => void lines.push(message),
    error: (message) => void lines.push(message),
    child: () => log,
  };
  return log;
}

export interface ClipOptions {
  readonly frames: number;
  readonly width: number;
  readonly height: number;
  readonly device?: Device;
}

/** A home with a tiny model, whose jobs run in the test's process and not in a worker. */
export function inProcessWorker(changes: Partial<Settings> = {}) {
  const home = identifiedHomeAt(temporaryFolder());
  ensureHome(home);
  const model = join(home.models, 'tiny.onnx');
  writeFileSync(model, tinySrvgg());
  const queue = openQueue(home.databaseFile);
  onTestFinished(() => queue.close());
  const settings: Settings = {
    ...SAFE_DEFAULTS,
    batch: { firstFrames: 4, frames: 4 },
    encoder: { ...SAFE_DEFAULTS.encoder, preset: 'ultrafast' },
    workspace: { ...SAFE_DEFAULTS.workspace, memoryFraction: 0.05 },
    ...changes,
  };

  const addJob = async (clip: string, request: ClipOptions): Promise<Job> => {
    const { device = 'cpu', ...image } = request;
    const sourcePath = makeClip(join(home.input, clip), image);
    return queue.jobs.enqueue({
      ...{ origin: 'add', sourcePath, outputPath: join(home.output, clip), priority: 0, nowMs: 1 },
      fingerprint: await sha256File(sourcePath),
      recipe: { pipeline: 'upscale', model, scale: 4, device, tile: 'auto' },
    }).job;
  };

  /** Runs the next job until it is done, or until a warning matches `stopAt`. */
  const runNextJob = async (engine: Engine, stopAt?: RegExp) => {
    const claimed = queue.leases.claim({ owner: ownOwner(), nowMs: Date.now(), leaseMs: 30_000 });
    if (claimed === null) throw new TypeError('There is no job.');
    const { job, lease } = claimed;
    const lines: string[] = [];
    const stop = new AbortController();
    const log = loggerInto(lines);
    const watched: Logger = {
      ...log,
      warn(message) {
        log.warn(message);
        if (stopAt?.test(message) === true) stop.abort(new Error('stopped'));
      },
    };
    const inference = new InferenceClient(threadWith(engine), watched);
    const running = runJob({
      ...{ home, settings, queue, job, lease, log: watched, signal: stop.signal },
      encoderSemaphore: new EncoderSemaphore(() => 1),
      driverSilence: new DriverSilence(() => performance.now()),
      inference,
      memoryLimitBytes: Infinity,
      modelFolders: [home.models],
      traceFile: null,
    });
    if (stopAt === undefined) await running;
    else await expect(running).rejects.toThrow();
    await inference.close();
    const unjudged = { notBeforeAtMs: null, note: null, errorCode: null, errorMessage: null };
    if (stop.signal.aborted) queue.leases.release(lease, { countAttempt: false, ...unjudged });
    return { job: queue.jobs.getJob(job.id), lines };
  };
  return { home, queue, addJob, runNextJob };
}
