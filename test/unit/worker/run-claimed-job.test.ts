import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PIPELINE_DEFAULTS } from '../../../src/config/recipe-presets.ts';
import { SAFE_DEFAULTS } from '../../../src/config/settings.ts';
import { DatabaseDamagedError, LeaseLostError, StoppedError } from '../../../src/domain/errors.ts';
import { fingerprintOf } from '../../../src/domain/fingerprint.ts';
import { createOnnxEngine } from '../../../src/inference/onnx-engine.ts';
import { runClaimedJob, type JobEnvironment } from '../../../src/worker/run-claimed-job.ts';
import { ffmpeg } from '../../helpers/clips.ts';
import { talkingModel } from '../../helpers/lip-sync.ts';
import { threadWith } from '../../helpers/in-process-worker.ts';
import { blindBlazeFace } from '../../helpers/tiny-models.ts';
import { jobAtWork, type JobRequest } from '../job/job-fixture.ts';

/** A claimed job and a worker of this process that runs it. */
async function claimedJob(request: JobRequest = { clip: { frames: 5 } }) {
  const work = await jobAtWork(request);
  const abort = new AbortController();
  const stopping = new AbortController();
  const run = async (changes: Partial<JobEnvironment> = {}, job = work.job) => {
    const { closed, mustStop } = await runClaimedJob(
      { ...work, job },
      {
        ...work.context,
        ...{ jobsAtOnce: 1, inferenceThread: threadWith(createOnnxEngine('cpu')) },
        ...{ abort, stopping: stopping.signal },
        ...changes,
      },
    );
    await closed;
    return mustStop;
  };
  return { ...work, abort, stopping, run };
}

const QUARANTINE = { intake: { ...SAFE_DEFAULTS.intake, rejected: 'quarantine' as const } };

test('a job that succeeds is done, its output is in place, and its folder is gone', async () => {
  const { run, stored, home, folder } = await claimedJob();
  expect(await run()).toBe(false);
  expect(stored()).toMatchObject({ state: 'done', errorCode: null, framesDone: 5 });
  expect(readdirSync(home.output)).toEqual(['clip.mp4']);
  expect(existsSync(folder.path)).toBe(false);
});

test('a source that cannot be processed fails its job and stays in the input folder', async () => {
  const { run, stored, job } = await claimedJob({});
  expect(await run()).toBe(false);
  expect(stored()).toMatchObject({ state: 'failed' });
  expect(existsSync(job.sourcePath)).toBe(true);
});

test('a rejected source is quarantined where the settings ask for it', async () => {
  const { run, stored, job, home } = await claimedJob({ settings: QUARANTINE });
  await run();
  expect(stored()).toMatchObject({ state: 'failed' });
  expect(existsSync(job.sourcePath)).toBe(false);
  expect(readdirSync(join(home.root, 'quarantine'))).toContain('clip.mp4');
});

test('a rejected source that was added by hand is not quarantined', async () => {
  const { run, job, stored } = await claimedJob({ settings: QUARANTINE, job: { origin: 'add' } });
  await run();
  expect(stored()).toMatchObject({ state: 'failed' });
  expect(existsSync(job.sourcePath)).toBe(true);
});

test('a worker that stops returns its job to the queue without a charge', async () => {
  const { run, stopping, stored, lines } = await claimedJob();
  stopping.abort(new StoppedError('The worker is stopping.'));
  expect(await run()).toBe(false);
  expect(stored()).toMatchObject({ state: 'queued', attempts: 0 });
  expect(lines).toContain('stopped; back in the queue with its checkpoints');
});

test('a worker with too much memory commits a batch, returns its job, and must be restarted', async () => {
  const { run, queue, job, stored, lines } = await claimedJob({
    clip: { frames: 5 },
    settings: { batch: { firstFrames: 2, frames: 2 } },
  });
  expect(await run({ memoryLimitBytes: 1 })).toBe(true);
  expect(stored()).toMatchObject({ state: 'queued', attempts: 0 });
  expect(queue.batches.listBatches(job.id).map(({ number }) => number)).toEqual([0]);
  expect(lines.at(-1)).toMatch(/^worker memory is \d+ MB \(limit: 0 MB\); restarting the worker$/);
});

test('a cancelled job leaves nothing behind', async () => {
  const { run, queue, abort, job, folder, stored, lines } = await claimedJob();
  queue.control.cancelJob(job.id, 4_000);
  abort.abort(new LeaseLostError('taken back'));
  expect(await run()).toBe(false);
  expect(stored().state).toBe('cancelled');
  expect(lines).toEqual(['stopped: the job was cancelled']);
  expect(existsSync(folder.path)).toBe(false);
});

test('a lip-sync job that fails deletes its copies of the video and the speech, and keeps what a retry needs', async () => {
  const { run, stored, folder, home, job, lines } = await claimedJob();
  const audio = join(home.input, 'clip.wav');
  ffmpeg('-f', 'lavfi', '-i', 'sine=frequency=300:duration=0.2', audio);
  writeFileSync(join(home.models, 'wav2lip.onnx'), talkingModel());
  writeFileSync(join(home.models, 'blind.onnx'), blindBlazeFace());
  const detector = join(home.models, 'blind.onnx');
  const recipe = { ...PIPELINE_DEFAULTS['lip-sync'], audio, detector };
  await run({}, { ...job, recipe, fingerprint: await fingerprintOf(job.sourcePath, recipe) });
  expect(lines.join('\n')).toContain('laid the speech clip.wav');
  expect(stored()).toMatchObject({ state: 'failed', errorCode: 'NO_FACE' });
  expect(readdirSync(folder.path).sort()).toEqual(['.framekiln-home', 'frames.index', 'segments']);
  expect(existsSync(audio)).toBe(true);
});

test('a job whose source is missing keeps its copies for the retry when the source is back', async () => {
  const { run, stored, folder, job } = await claimedJob();
  rmSync(job.sourcePath);
  mkdirSync(folder.spoken);
  await run();
  expect(stored()).toMatchObject({ state: 'failed', errorCode: 'SOURCE_MISSING' });
  expect(existsSync(folder.spoken)).toBe(true);
});

test('copies that cannot be deleted do not keep a job from failing', async () => {
  const { run, stored, folder, job, lines } = await claimedJob({ settings: { attempts: 1 } });
  // A link to itself, from which nobody can read whose folder it is.
  rmSync(join(folder.path, '.framekiln-home'));
  symlinkSync('.framekiln-home', join(folder.path, '.framekiln-home'));
  await run();
  expect(stored()).toMatchObject({ state: 'failed', errorCode: 'ELOOP' });
  expect(lines.at(-1)).toMatch(
    `cannot delete the copies of the video and the speech of job ${job.id}: ELOOP: `,
  );
});

test('a paused job keeps its folder', async () => {
  const { run, queue, abort, job, folder, stored, lines } = await claimedJob();
  queue.control.pauseJob(job.id);
  abort.abort(new LeaseLostError('taken back'));
  await run();
  expect(stored().state).toBe('paused');
  expect(lines).toEqual(['stopped: the job was paused']);
  expect(existsSync(folder.path)).toBe(true);
});

test('a job that another worker has taken over is left to it', async () => {
  const { run, loseLease, folder, stored, lines } = await claimedJob();
  loseLease();
  const before = stored();
  expect(await run()).toBe(false);
  expect(stored()).toEqual(before);
  expect(lines).toEqual(['taken over by another worker']);
  expect(existsSync(folder.path)).toBe(true);
});

test('a damaged database ends the worker, and no outcome is written for the job', async () => {
  const { run, abort, stored } = await claimedJob();
  abort.abort(new DatabaseDamagedError('The database is damaged.'));
  await expect(run()).rejects.toThrow(DatabaseDamagedError);
  expect(stored()).toMatchObject({ state: 'running', attempts: 1, errorCode: null, note: null });
});
