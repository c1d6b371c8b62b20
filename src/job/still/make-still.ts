import { readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, extname } from 'node:path';
import { InputRejectedError } from '../../domain/errors.ts';
import type { BatchRange } from '../../domain/frame-batch.ts';
import { frameBytes, type FrameFormat } from '../../domain/media-info.ts';
import { shapeOf } from '../../domain/video-shape.ts';
import { formatBytes } from '../../lib/format-bytes.ts';
import { makeFolder } from '../../lib/make-folder.ts';
import { asUser } from '../../lib/user-umask.ts';
import { probeMedia } from '../../media/probe/probe-media.ts';
import { STILL_EXTENSIONS, type StillFormat } from '../../media/still/still-format.ts';
import { readStill, shapeOfImage, writeStill, type StillImage } from '../../media/still/still-image.ts';
import { describePipeline } from '../../pipelines/describe-pipeline.ts';
import { resampleAlpha } from '../../pipelines/upscale/resample-alpha.ts';
import { createForUser } from '../../workspace/durable-file.ts';
import { halfOutputPath, removeHalfOutputsOf } from '../../workspace/half-output.ts';
import type { JobFolder } from '../../workspace/job-folder.ts';
import { JobProgress } from '../batches/job-progress.ts';
import { openFrameFiles } from '../batches/open-frame-files.ts';
import { openPipeline } from '../batches/open-pipeline.ts';
import { TileMemory } from '../batches/tile-memory.ts';
import { TransformStage } from '../batches/transform-stage.ts';
import type { VerifiedOutput } from '../finish/publish-output.ts';
import type { JobContext } from '../job-context.ts';
import { assertFoldersPresent } from '../missing-folders.ts';
import { checkDiskSpaceOfStill } from '../prepare/check-disk-space.ts';
import { deviceMemories } from '../prepare/device-memory.ts';
import { findJobModels } from '../prepare/find-job-models.ts';
import { chooseOutputPath } from '../prepare/output-path.ts';
import { planJob } from '../prepare/plan-job.ts';
import { assertUnchanged } from '../prepare/assert-unchanged.ts';
import type { PreparedJob } from '../prepare/prepared-job.ts';
import { tiledModel } from '../prepare/tile-sizes.ts';

const ONLY_FRAME: BatchRange = { number: 0, firstFrame: 0, frameCount: 1 };

type PreparedStill = Pick<PreparedJob, 'media' | 'model' | 'embedding' | 'plan' | 'memories' | 'formats'>;

/**
 * Upscales a still image and writes it in the format of its source. It has one frame, so it has no checkpoints: a job
 * that is interrupted starts over.
 */
export async function makeStill(
  context: JobContext,
  folder: JobFolder,
  format: StillFormat,
): Promise<VerifiedOutput> {
  const { home, job, lease, queue, settings, signal } = context;
  queue.progress.setStage(lease, 'probe');
  await assertUnchanged(job, signal);
  const probed = await probeMedia(job.sourcePath, settings.limits, signal);
  const still = await decode(context, format);
  const media = { ...probed, video: { ...probed.video, ...shapeOfImage(still) } };
  const outputPath = await chooseOutputPath(context, extensionOf(job.outputPath, format));
  await removeHalfOutputsOf(home.id, job.id, outputPath);
  const prepared = await prepareStill(context, media, format);
  await checkDiskSpaceOfStill(context, outputPath, prepared.formats.output, format);
  queue.progress.setStage(lease, 'frames');
  const pixels = await upscale(context, folder, prepared, still);
  const alpha = resampleAlpha(still, prepared.formats.output);
  queue.progress.setStage(lease, 'verify');
  const temporaryPath = halfOutputPath(home.id, outputPath, lease);
  await assertFoldersPresent(context);
  asUser(() => makeFolder(dirname(temporaryPath)));
  createForUser(temporaryPath);
  try {
    await writeStill(temporaryPath, still, { ...prepared.formats.output, pixels, alpha });
  } catch (error) {
    await rm(temporaryPath, { force: true });
    throw error;
  }
  return {
    // A source of which something is left out is kept like a damaged one.
    ...{ temporaryPath, outputPath, sourceDamage: still.leftOut },
    report: ({ outputPath: output, sha256: outputSha256, bytes: outputBytes }) => ({
      ...{ source: job.sourcePath, fingerprint: job.fingerprint, recipe: job.recipe },
      ...{ output, outputSha256, outputBytes, sourceDamage: still.leftOut },
      ...{ frames: 1, isStill: true, container: null, streams: [], chapters: 0 },
      remarks: still.leftOut === null ? still.remarks : [...still.remarks, still.leftOut],
    }),
  };
}

/** Decodes the source; if it has changed since it was queued, that is the reason of a failure. */
async function decode({ job, settings, signal }: JobContext, format: StillFormat): Promise<StillImage> {
  try {
    return await readStill(job.sourcePath, format, settings.limits.inputMegapixels * 1e6);
  } catch (error) {
    await assertUnchanged(job, signal);
    throw error;
  }
}

/** Longest side in pixels that a format can store, if it is shorter than any limit here. */
const LONGEST_SIDE: Partial<Record<StillFormat, number>> = { webp: 16_383, jpeg: 65_535, avif: 65_535 };

/** Bytes of pixels that the upscaled image must stay below. */
const MOST_BYTES = 2 ** 31;

/** @throws InputRejectedError LIMIT_EXCEEDED if the result is too large, for the format of the source or for any */
function assertStorable(path: string, format: StillFormat, output: FrameFormat): void {
  const side = Math.max(output.width, output.height);
  const isTooLong = side > (LONGEST_SIDE[format] ?? Infinity);
  if (!isTooLong && frameBytes(output) < MOST_BYTES) return;
  const why = isTooLong
    ? `too large for ${format.toUpperCase()}`
    : `more than the ${formatBytes(MOST_BYTES)} of pixels that an image may have`;
  throw new InputRejectedError(
    'LIMIT_EXCEEDED',
    `${basename(path)} would become ${output.width}x${output.height}, which is ${why}; choose a smaller scale.`,
  );
}

async function prepareStill(
  context: JobContext,
  media: PreparedStill['media'],
  format: StillFormat,
): Promise<PreparedStill> {
  const { job, lease, queue } = context;
  if (job.recipe.pipeline !== 'upscale')
    throw new InputRejectedError(
      'BAD_RECIPE',
      `${basename(job.sourcePath)} is a still image; ${job.recipe.pipeline === 'lip-sync' ? 'lip-sync' : 'a split screen'} needs a video.`,
    );
  const models = await findJobModels(context);
  const { formats } = describePipeline(job.recipe, media);
  assertStorable(job.sourcePath, format, formats.output);
  const memories = tiledModel(job.recipe, models) !== null ? await deviceMemories(job.recipe.device) : null;
  const plan = await planJob(context, { media, ...models, formats, hasAnalysis: false, memories });
  queue.progress.setPlan(lease, plan, 1);
  queue.progress.setVideo(lease, shapeOf(media));
  return { media, ...models, formats, memories, plan };
}

/** Runs the image through the pipeline, as the only frame of a video. */
async function upscale(
  context: JobContext,
  folder: JobFolder,
  prepared: PreparedStill,
  { pixels }: StillImage,
): Promise<Buffer> {
  const { inference, log, signal } = context;
  const { formats, plan } = prepared;
  const { files, remove } = await openFrameFiles(context, folder, plan);
  try {
    const decided = await openPipeline(context, prepared, 1);
    const transform = new TransformStage({
      ...{ inference, files, log, formats, directionOf: () => null },
      progress: new JobProgress(context, 1, 0, 1),
      tiles: new TileMemory(context, decided, 1),
    });
    const inputPath = await files.place(ONLY_FRAME, 'in', pixels.length);
    const placedPath = await files.place(ONLY_FRAME, 'out', frameBytes(formats.output));
    await writeFile(inputPath, pixels);
    const batch = { range: ONLY_FRAME, startedAtMs: performance.now(), inputPath, framesReady: 0 };
    const { outputPath } = await transform.run({ ...batch, outputPath: placedPath }, signal);
    const upscaled = await readFile(outputPath);
    await remove();
    return upscaled;
  } finally {
    // Not awaited here: the thread may be in a run of many seconds, which nothing can interrupt. The worker awaits it.
    inference.close().catch(() => undefined);
  }
}

/** The extension of an image: its own if that says what it is. */
function extensionOf(path: string, format: StillFormat): string {
  const extension = extname(path).toLowerCase();
  const known: readonly string[] = STILL_EXTENSIONS[format];
  return known.includes(extension) ? extension : (known[0] ?? '');
}
