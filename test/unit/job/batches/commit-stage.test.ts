import { existsSync, mkdirSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { SAFE_DEFAULTS, type Settings } from '../../../../src/config/settings.ts';
import {
  LeaseLostError,
  TransientError,
  VerificationError,
  WorkerMemoryError,
} from '../../../../src/domain/errors.ts';
import { frameBytes } from '../../../../src/domain/media-info.ts';
import type { TransformedBatch } from '../../../../src/job/batches/batch-record.ts';
import { CommitStage } from '../../../../src/job/batches/commit-stage.ts';
import { createEncodeStage } from '../../../../src/job/batches/create-stages.ts';
import { JobProgress } from '../../../../src/job/batches/job-progress.ts';
import type { JobContext } from '../../../../src/job/job-context.ts';
import { sha256File } from '../../../../src/lib/sha256-file.ts';
import { EncoderSemaphore } from '../../../../src/media/encode/encoder-semaphore.ts';
import { frameMd5 } from '../../../helpers/clips.ts';
import { fakeMachine, RTX_4090 } from '../../../helpers/fake-machine.ts';
import { temporaryFolder } from '../../../helpers/temporary-folder.ts';
import { frameFilesOf, jobAtWork, preparedWithoutVideo } from '../job-fixture.ts';

const running = new AbortController().signal;
const SEGMENT = 'b0000.1.mp4';

afterEach(() => void vi.unstubAllEnvs());

/** The last two stages of a job, and its first batch of 10 frames of 64x48 as the transform stage hands it on. */
async function openStage(changes: Partial<JobContext> = {}, encoder: Partial<Settings['encoder']> = {}) {
  const settings = { encoder: { ...SAFE_DEFAULTS.encoder, nvenc: false, ...encoder } };
  const work = await jobAtWork({ settings });
  const context = { ...work.context, ...changes };
  const base = preparedWithoutVideo(work);
  const prepared = {
    ...base,
    plan: { ...base.plan, encoder: { ...base.plan.encoder, preset: 'ultrafast' } },
  };
  const files = frameFilesOf(work);
  const progress = new JobProgress(context, 10, 0, 10);
  const { folder } = work;
  const encode = createEncodeStage(context, prepared, folder);
  const stage = new CommitStage({ context, folder, files, progress, encode });
  const range = { number: 0, firstFrame: 0, frameCount: 10 };
  const bytes = frameBytes(prepared.formats.output);
  const outputPath = await files.place(range, 'out', 10 * bytes);
  writeFileSync(outputPath, Buffer.concat(Array.from({ length: 10 }, (_, i) => Buffer.alloc(bytes, 20 * i))));
  const batch: TransformedBatch = {
    ...{ range, startedAtMs: performance.now(), outputPath },
    framesReused: 2.5,
  };
  progress.finishBatch(10);
  /** @param damage changes the segment at this path before it is verified */
  const commit = async (damage?: (segment: string) => void): Promise<void> => {
    const encoded = await encode.run(batch, running);
    damage?.(encoded.segment.segmentPath);
    await stage.run(encoded, running);
  };
  const rows = () => work.queue.batches.listBatches(work.job.id);
  const segments = () => readdirSync(work.folder.segments);
  return { ...work, context, commit, rows, segments, outputPath };
}

test('a committed batch has a row that describes its segment on the disk, and its frames are deleted', async () => {
  const { commit, rows, segments, folder, outputPath, stored } = await openStage();
  await commit();
  expect(segments()).toEqual([SEGMENT]);
  const path = folder.segmentPath(SEGMENT);
  const [row] = rows();
  expect(row).toMatchObject({
    ...{ number: 0, firstFrame: 0, frameCount: 10, segmentName: SEGMENT, encoder: 'libx264' },
    ...{ segmentBytes: statSync(path).size, segmentSha256: await sha256File(path) },
  });
  expect(row?.elapsedMs).toBeGreaterThan(0);
  expect(row?.analysisMs).toBeNull();
  expect(frameMd5(path)).toHaveLength(10);
  expect(existsSync(outputPath)).toBe(false);
  expect(stored().framesDone).toBe(10);
});

test('a batch whose segment cannot be made durable has no row, and keeps its frames', async () => {
  const { commit, rows, folder, outputPath } = await openStage();
  // The segment cannot get the name of a folder.
  mkdirSync(join(folder.segmentPath(SEGMENT), 'in-the-way'), { recursive: true });
  await expect(commit()).rejects.toThrow();
  expect(rows()).toEqual([]);
  expect(existsSync(outputPath)).toBe(true);
});

test('a segment without all frames of its batch is removed, and has no row', async () => {
  const { commit, rows, segments, outputPath } = await openStage();
  truncateSync(outputPath, statSync(outputPath).size / 2);
  await expect(commit()).rejects.toThrow();
  expect([rows(), segments()]).toEqual([[], []]);
  expect(existsSync(outputPath)).toBe(true);
});

/** Cuts off the end of a segment, as a full disk or a failing driver might. */
function cutShort(segment: string): void {
  truncateSync(segment, Math.floor(statSync(segment).size / 2));
}

test('a segment that is damaged after it was encoded is removed, and has no row', async () => {
  const { commit, rows, segments, outputPath } = await openStage();
  await expect(commit(cutShort)).rejects.toThrow(VerificationError);
  expect([rows(), segments()]).toEqual([[], []]);
  expect(existsSync(outputPath)).toBe(true);
});

test('a worker that lost its lease commits nothing and leaves the frames', async () => {
  const { commit, rows, loseLease, outputPath } = await openStage();
  loseLease();
  await expect(commit()).rejects.toThrow(LeaseLostError);
  expect(rows()).toEqual([]);
  expect(existsSync(outputPath)).toBe(true);
});

test('a worker that holds too much memory ends after its batch is committed, and not before', async () => {
  const { commit, rows, outputPath } = await openStage({ memoryLimitBytes: 1 });
  await expect(commit()).rejects.toThrow(WorkerMemoryError);
  expect(rows()).toHaveLength(1);
  expect(existsSync(outputPath)).toBe(false);
});

test('without a free NVENC session the batch is encoded in software', async () => {
  const encoderSemaphore = new EncoderSemaphore(() => 0);
  const { commit, rows, lines } = await openStage({ encoderSemaphore }, { nvenc: true, waitSeconds: 0 });
  await commit();
  expect(rows()).toMatchObject([{ encoder: 'libx264' }]);
  expect(encoderSemaphore.counts).toMatchObject({ opened: 0, fallenBack: 1 });
  expect(lines.slice(1)).toEqual([
    'encoding on the CPU with libx264: other jobs are using all NVENC sessions',
  ]);
});

/** A machine whose NVENC passes the trial and fails in the first segment. */
function breakingNvenc() {
  const machine = fakeMachine(temporaryFolder(), { gpu: RTX_4090, nvenc: 2, goodSegments: 0 });
  vi.stubEnv('PATH', machine.path);
  return machine;
}

test('when NVENC fails, the same frames are encoded in software', async () => {
  const software = await openStage();
  await software.commit();
  const machine = breakingNvenc();
  const encoderSemaphore = new EncoderSemaphore(() => 1);
  const { commit, rows, segments, folder, lines } = await openStage({ encoderSemaphore }, { nvenc: true });
  await commit();
  expect(machine.events().map(({ event, use }) => `${event} ${use}`)).toEqual([
    ...['open trial', 'close trial', 'open segment', 'break segment'],
  ]);
  expect(rows()).toMatchObject([{ encoder: 'libx264' }]);
  expect(segments()).toEqual([SEGMENT]);
  expect(frameMd5(folder.segmentPath(SEGMENT))).toEqual(frameMd5(software.folder.segmentPath(SEGMENT)));
  expect(encoderSemaphore.counts).toEqual({ opened: 2, closed: 2, failed: 1, fallenBack: 1 });
  expect(lines.filter((line) => line.includes('EncodePicture failed'))).toHaveLength(1);
});

test('when NVENC fails and no software may take over, the job waits', async () => {
  breakingNvenc();
  const { commit, rows, segments } = await openStage({}, { nvenc: true, softwareFallback: false });
  const error: unknown = await commit().catch((each: unknown) => each);
  expect(error).toBeInstanceOf(TransientError);
  expect(error).toMatchObject({ code: 'ENCODER_BUSY' });
  expect([rows(), segments()]).toEqual([[], []]);
});

test('when a segment from NVENC is damaged, the same frames are encoded in software', async () => {
  const software = await openStage();
  await software.commit();
  const machine = fakeMachine(temporaryFolder(), { gpu: RTX_4090, nvenc: 2 });
  vi.stubEnv('PATH', machine.path);
  const encoderSemaphore = new EncoderSemaphore(() => 1);
  const { commit, rows, segments, folder, lines } = await openStage({ encoderSemaphore }, { nvenc: true });
  await commit(cutShort);
  expect(rows()).toMatchObject([{ encoder: 'libx264' }]);
  expect(segments()).toEqual([SEGMENT]);
  expect(frameMd5(folder.segmentPath(SEGMENT))).toEqual(frameMd5(software.folder.segmentPath(SEGMENT)));
  expect(encoderSemaphore.counts).toMatchObject({ opened: 2, closed: 2, fallenBack: 1 });
  expect(lines.filter((line) => line.includes('NVENC failed to encode a batch'))).toHaveLength(1);
});
