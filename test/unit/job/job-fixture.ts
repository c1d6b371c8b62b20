import { PROGRESSIVE } from '../../../src/media/fields/field-plan.ts';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { ensureHome, type IdentifiedHome } from '../../../src/config/home.ts';
import { SAFE_DEFAULTS, type Settings } from '../../../src/config/settings.ts';
import { missingBatches } from '../../../src/domain/frame-batch.ts';
import type { CommittedBatch, Job, Lease } from '../../../src/domain/job.ts';
import type { Engine } from '../../../src/inference/engine.ts';
import { createOnnxEngine } from '../../../src/inference/onnx-engine.ts';
import { InferenceClient } from '../../../src/inference-thread/client.ts';
import { InferencePort } from '../../../src/inference-thread/inference-thread.ts';
import type { PipelineSetup, ToPort } from '../../../src/inference-thread/protocol.ts';
import type { JobContext } from '../../../src/job/job-context.ts';
import type { PreparedJob } from '../../../src/job/prepare/prepared-job.ts';
import { makeFolder } from '../../../src/lib/make-folder.ts';
import { sha256File } from '../../../src/lib/sha256-file.ts';
import { DriverSilence } from '../../../src/media/encode/driver-silence.ts';
import { EncoderSemaphore } from '../../../src/media/encode/encoder-semaphore.ts';
import type { FrameIndex } from '../../../src/media/index/frame-index.ts';
import { planStreams } from '../../../src/media/join/stream-plan.ts';
import { describePipeline } from '../../../src/pipelines/describe-pipeline.ts';
import type { NewJob } from '../../../src/queue/new-job.ts';
import type { Queue } from '../../../src/queue/queue.ts';
import { FrameFiles } from '../../../src/workspace/frame-files.ts';
import { JobFolder } from '../../../src/workspace/job-folder.ts';
import { makeClip, type ClipRequest } from '../../helpers/clips.ts';
import { identifiedHomeAt } from '../../helpers/identified-home.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { sourceOf } from '../../helpers/upscale-source.ts';
import { loggerInto, threadWith } from '../../helpers/in-process-worker.ts';
import { ALICE, BOB, LEASE_MS, newJob, PLAN, testQueue } from '../queue/queue-fixture.ts';

export interface JobRequest {
  /** The source is this clip; without it the source is a file of a few bytes that is no video. */
  readonly clip?: ClipRequest;
  readonly settings?: Partial<Settings>;
  readonly job?: Partial<NewJob>;
  readonly engine?: Engine;
}

export interface JobAtWork {
  readonly home: IdentifiedHome;
  readonly queue: Queue;
  readonly job: Job;
  readonly lease: Lease;
  readonly folder: JobFolder;
  readonly context: JobContext;
  /** All log lines of the job so far. */
  readonly lines: string[];
  /** What the job has asked the inference thread for so far. */
  readonly requests: readonly ToPort[];
  /** The job as the queue has it now. */
  readonly stored: () => Job;
  /** Makes another worker take the job, so that this lease is lost. */
  readonly loseLease: () => void;
}

/** A job that a worker has just claimed, in a home, a queue and a job folder of its own. */
export async function jobAtWork({
  clip,
  settings,
  job: changes,
  engine,
}: JobRequest = {}): Promise<JobAtWork> {
  const home = identifiedHomeAt(temporaryFolder());
  ensureHome(home);
  const queue = testQueue(home.databaseFile);
  const sourcePath = join(home.input, 'clip.mp4');
  if (clip === undefined) writeFileSync(sourcePath, 'not a video');
  else makeClip(sourcePath, { width: 32, height: 24, frames: 10, audio: false, ...clip });
  const fingerprint = await sha256File(sourcePath);
  const outputPath = join(home.output, 'clip.mp4');
  queue.jobs.enqueue(newJob({ sourcePath, outputPath, fingerprint, ...changes }));
  const claimed = queue.leases.claim({ owner: ALICE, nowMs: 2_000, leaseMs: LEASE_MS });
  if (claimed === null) throw new Error('The job that was just enqueued cannot be claimed.');
  const { job, lease } = claimed;
  const folder = new JobFolder(home, job.id);
  await folder.create();
  const lines: string[] = [];
  const log = loggerInto(lines);
  const requests: ToPort[] = [];
  const inference = new InferenceClient(recordingThread(engine ?? createOnnxEngine('cpu'), requests), log);
  onTestFinished(() => inference.close());
  const context: JobContext = {
    ...{ home, queue, job, lease, log, inference },
    settings: {
      ...SAFE_DEFAULTS,
      encoder: { ...SAFE_DEFAULTS.encoder, nvenc: false, preset: 'ultrafast' },
      workspace: { ...SAFE_DEFAULTS.workspace, kind: 'folder', memoryFraction: 0.05 },
      ...settings,
    },
    encoderSemaphore: new EncoderSemaphore(() => 1),
    driverSilence: new DriverSilence(() => performance.now()),
    modelFolders: [home.models],
    traceFile: null,
    memoryLimitBytes: Infinity,
    signal: new AbortController().signal,
  };
  const stored = (): Job => {
    const found = queue.jobs.getJob(job.id);
    if (found === null) throw new Error(`Job ${job.id} is gone.`);
    return found;
  };
  const loseLease = (): void => {
    const nothing = {
      countAttempt: false,
      notBeforeAtMs: null,
      note: null,
      errorCode: null,
      errorMessage: null,
    };
    queue.leases.release(lease, nothing);
    queue.leases.claim({ owner: BOB, nowMs: Date.now(), leaseMs: LEASE_MS });
  };
  return { home, queue, job, lease, folder, context, lines, requests, stored, loseLease };
}

/** An inference thread in this process that keeps every message to it. */
function recordingThread(engine: Engine, requests: ToPort[]) {
  const thread = threadWith(engine);
  return {
    openCount: 1,
    open(setup: PipelineSetup): InferencePort {
      const inner = thread.open(setup);
      const port = new InferencePort((message) => {
        requests.push(message);
        inner.postMessage(message);
      });
      inner.on('message', (message) => port.emit('message', message));
      inner.on('exit', () => port.emit('exit'));
      return port;
    },
  };
}

/** Commits a batch of `frameCount` frames whose segment is a file of a few bytes. */
export async function commitFakeSegment(
  { queue, lease, folder }: JobAtWork,
  number: number,
  frameCount = 30,
  changes: Partial<CommittedBatch> = {},
): Promise<string> {
  const segmentName = `b000${number}.${lease.token}.mp4`;
  const path = folder.segmentPath(segmentName);
  writeFileSync(path, `segment ${number}`);
  queue.batches.commitBatch(
    lease,
    {
      ...{ number, firstFrame: number * frameCount, frameCount, segmentName, segmentBytes: 9 },
      segmentSha256: await sha256File(path),
      ...{ encoder: 'libx264', elapsedMs: 1, analysisMs: null, framesReused: null },
      ...changes,
    },
    3_000,
  );
  return path;
}

/** The index of a video of `frames` frames at 25 frames a second. */
export function indexOf(frames: number): FrameIndex {
  return {
    timeBase: { num: 1, den: 25 },
    pts: Float64Array.from({ length: frames }, (_, i) => i),
    hashes: new Uint32Array(frames),
    ...{ lastDuration: 1, packetCount: frames, decoderErrorCount: 0, fields: PROGRESSIVE, captions: null },
  };
}

/** What preparation finds for a job whose source is a plain video of 10 frames, 24 pixels high; no file is read. */
export function preparedWithoutVideo({ job }: Pick<JobAtWork, 'job'>, width = 32): PreparedJob {
  const media = { ...sourceOf(width, 24), path: job.sourcePath };
  const index = indexOf(10);
  return {
    ...{ signature: 'as queued', media, timeline: null, index, model: null, embedding: null },
    ...describePipeline(job.recipe, media),
    ...{ plan: PLAN, memories: null, streams: planStreams(media), outputPath: job.outputPath },
    ...{ committed: [], missing: missingBatches(PLAN, 10, new Set()) },
  };
}

/** The frame files of a job, in `ram/` and `spill/` of its folder. */
export function frameFilesOf({ folder, lines }: Pick<JobAtWork, 'folder' | 'lines'>): FrameFiles {
  const ramPath = join(folder.path, 'ram');
  makeFolder(ramPath);
  return new FrameFiles({
    ramPath,
    spillPath: join(folder.path, 'spill'),
    spareMemoryBytes: () => Promise.resolve(Infinity),
    onSpill: (sentence) => lines.push(sentence),
  });
}
