import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { toError } from '../../domain/errors.ts';
import { frameBytes, type FrameFormat } from '../../domain/media-info.ts';
import { contentAdvice } from '../../inference/models/content-advice.ts';
import { installedUpscalers } from '../../inference/models/find-model.ts';
import { readKnownModels } from '../../inference/models/known-models.ts';
import { eightBits } from '../../media/still/find-detail.ts';
import { contentOf, countLines, type LineCounts } from '../../media/still/line-art.ts';
import type { JobContext } from '../job-context.ts';
import type { DecodedBatch } from './batch-record.ts';

/**
 * Says once in the log that another model may suit a video better, by some frames of its first batch, which are decoded
 * anyway. A job never fails for that.
 */
export async function adviseOnModel(
  { job, log, modelFolders }: Pick<JobContext, 'job' | 'log' | 'modelFolders'>,
  format: FrameFormat,
  { range, inputPath, framesReady }: DecodedBatch,
): Promise<void> {
  const { recipe } = job;
  if (recipe.pipeline !== 'upscale' || recipe.model === 'lanczos') return;
  if (range.number > 0 || framesReady > 0) return;
  try {
    const content = contentOf(await lookAtFrames(inputPath, format, range.frameCount), format);
    const manifest = await readKnownModels();
    const installed = await installedUpscalers(modelFolders, manifest);
    const advice = contentAdvice({ content, isStill: false, model: recipe.model, installed }, manifest);
    if (advice !== null) log.info(`${basename(job.sourcePath)} ${advice}`);
  } catch (error) {
    log.debug(`cannot tell whether the video is drawn or filmed: ${toError(error).message}`);
  }
}

/** The first, the middle and the last frame. */
async function lookAtFrames(path: string, format: FrameFormat, count: number): Promise<LineCounts[]> {
  const counts: LineCounts[] = [];
  const file = await open(path);
  try {
    for (const frame of new Set([0, count >> 1, count - 1])) {
      const pixels = Buffer.alloc(frameBytes(format));
      await file.read(pixels, 0, pixels.length, frame * pixels.length);
      counts.push(countLines(eightBits(pixels, format.pixelFormat === 'rgb24' ? 8 : 16), format));
    }
  } finally {
    await file.close();
  }
  return counts;
}
