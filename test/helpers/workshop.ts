import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { ensureHome, homeAt } from '../../src/config/home.ts';
import { SAFE_DEFAULTS, type Settings } from '../../src/config/settings.ts';
import type { Job } from '../../src/domain/job.ts';
import type { Device } from '../../src/domain/recipe.ts';
import type { Engine } from '../../src/inference/engine.ts';
import { ownOwner } from '../../src/lib/process-identity.ts';
import { sha256File } from '../../src/lib/sha256-file.ts';
import { DriverSilence } from '../../src/media/encode/driver-silence.ts';
import { EncoderSemaphore } from '../../src/media/encode/encoder-semaphore.ts';
import type { Logger } from '../../src/observability/log-entry.ts';
import { openQueue } from '../../src/queue/queue.ts';
import { runJob } from '../../src/job/run-job.ts';
import { StreamPort } from '../../src/inference-thread/host.ts';
import type { TransformSetup } from '../../src/inference-thread/protocol.ts';
import { InferencePort } from '../../src/inference-thread/stream.ts';
import { makeClip } from './clips.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { tinySrvgg } from './tiny-models.ts';

/** The transform thread's stream, in this process and with this engine. */
function hostOf(engine: Engine) {
  return {
    openCount: 1,
    open(setup: TransformSetup): StreamPort {
      const port: StreamPort = new StreamPort((message) => {
        void stream.receive(message)?.finally(() => port.emit('exit'));
      });
      const stream = new InferencePort(setup, [engine], (message) =>
        setImmediate(() => port.emit('message', message)),
      );
      return port;
    },
  };
}

function loggerInto(lines: string[]): Logger {
  const log: Logger = {
    debug: () => undefined,
    info: (message) => void lines.push(message),
    warn: (message) => void lines.push(message),
    error: (message) => void lines.push(message),
    child: () => log,
  };
  return log;
}

export interface WorkshopClip {
  readonly frames: number;
  readonly width: number;
  readonly height: number;
  readonly device?: Device;
}

/** A home with a model of one's own, whose jobs are done here and not in a worker's process. */
export function workshop(changes: Partial<Settings> = {}) {
  const home = homeAt(temporaryFolder());
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

  const enter = async (clip: string, request: WorkshopClip): Promise<Job> => {
    const { device = 'cpu', ...image } = request;
    const sourcePath = makeClip(join(home.input, clip), image);
    return queue.jobs.enqueue({
      ...{ origin: 'add', sourcePath, outputPath: join(home.output, clip), priority: 0, nowMs: 1 },
      fingerprint: await sha256File(sourcePath),
      recipe: { pipeline: 'upscale', model, scale: 4, device, tile: 'auto' },
    }).job;
  };

  /** Does the next job until it is done, or is stopped at a warning. */
  const doNext = async (engine: Engine, stopAt?: RegExp) => {
    const claimed = queue.leases.claim({ owner: ownOwner(), nowMs: Date.now(), leaseMs: 30_000 });
    if (claimed === null) throw new TypeError('There is no job.');
    const { job, lease } = claimed;
    const lines: string[] = [];
    const stop = new AbortController();
    const left: Promise<void>[] = [];
    const log = loggerInto(lines);
    const watched: Logger = {
      ...log,
      warn(message) {
        log.warn(message);
        if (stopAt?.test(message) === true) stop.abort(new Error('stopped'));
      },
    };
    const running = runJob({
      ...{ home, settings, queue, job, lease, log: watched, signal: stop.signal },
      encoderSemaphore: new EncoderSemaphore(() => 1),
      afterBatch: () => undefined,
      driverSilence: new DriverSilence(() => performance.now()),
      transformHost: hostOf(engine),
      modelFolders: [home.models],
      traceFile: null,
      leaveBehind: (ended) => left.push(ended),
    });
    if (stopAt === undefined) await running;
    else await expect(running).rejects.toThrow();
    await Promise.all(left);
    const unjudged = { notBeforeAtMs: null, note: null, errorCode: null, errorMessage: null };
    if (stop.signal.aborted) queue.leases.release(lease, { countAttempt: false, ...unjudged });
    return { job: queue.jobs.getJob(job.id), lines };
  };
  return { home, queue, enter, doNext };
}
