import { batchCount, missingBatches, type BatchRange } from '../../domain/frame-batch.ts';
import { followsSpeech } from '../../domain/recipe.ts';
import { counted } from '../../lib/counted.ts';
import type { AnalysedBatch } from '../../queue/analysis-store.ts';
import { BATCHES_IN_FLIGHT } from '../../workspace/batch-sizes.ts';
import type { FrameFiles } from '../../workspace/frame-files.ts';
import type { KeptAnalysis } from '../../workspace/kept-analyses.ts';
import type { JobContext } from '../job-context.ts';
import type { PreparedJob } from '../prepare/prepared-job.ts';
import { framesToAnalyse } from '../prepare/prepared-source.ts';
import { assertWorkerMemory } from './assert-worker-memory.ts';
import { createDecodeStage } from './create-stages.ts';
import type { DecodedInput } from './decode-stage.ts';
import { JobProgress } from './job-progress.ts';
import { keepSeenFrames } from '../prepare/speech-of-job.ts';
import { keep, keptAnalysisOf, takeOver } from './kept-analysis.ts';
import { listen } from './listen.ts';
import { runStages } from './scheduler.ts';

/**
 * The first pass of a pipeline that looks at the whole video before it processes frames: analyses every batch, with a
 * checkpoint each, and then decides what all frames show. The decisions are stored, so a resumed job draws the same frames
 * even if another version of Framekiln would decide otherwise.
 */
export async function analyseVideo(
  context: JobContext,
  prepared: PreparedJob,
  files: FrameFiles,
): Promise<void> {
  const { queue, job, lease, log, inference, signal } = context;
  const { plan, index } = prepared;
  const framesTotal = index.pts.length;
  const analysed = queue.analyses.listAnalysed(job.id);
  // There are more if the speech of the job has turned out to be shorter than the video that was made ahead of it.
  if (analysed.length >= batchCount(plan, framesTotal) && analysed.every(({ isDirected }) => isDirected))
    return;
  queue.progress.setStage(lease, 'analysis');
  const kept = keptAnalysisOf(context, prepared);
  const taken = analysed.length === 0 ? await takeOver(context, kept) : null;
  const findings = taken ?? (await analyseMissing(context, prepared, files, kept));
  const loudness = followsSpeech(job.recipe) ? await listen(context, prepared) : null;
  const { directions, conclusion, decisions } = await inference.direct(
    {
      findings,
      batchFrames: missingBatches(plan, framesTotal, new Set()).map(({ frameCount }) => frameCount),
      loudness,
    },
    signal,
  );
  // Before they are stored: a process killed in between says it twice, not never.
  log.info(conclusion);
  queue.analyses.storeDirections(lease, directions, decisions);
}

/** Until a job with this recipe is finished, drawing is assumed to take as long as the analysis. */
const ASSUMED_DRAWING = 1;

/** Analyses the batches without a checkpoint, and keeps the findings of all for later jobs. */
async function analyseMissing(
  context: JobContext,
  prepared: PreparedJob,
  files: FrameFiles,
  kept: KeptAnalysis,
): Promise<Uint8Array[]> {
  const { queue, job, log } = context;
  const analysed = queue.analyses.listAnalysed(job.id);
  const present = new Set(analysed.map(({ number }) => number));
  const missing = missingBatches(prepared.plan, framesToAnalyse(prepared), present);
  if (analysed.length > 0 && missing.length > 0)
    log.info(
      `resuming the analysis from its checkpoint: ${counted(missing[0]?.firstFrame ?? 0, 'frame')} already analysed`,
    );
  const isDegraded = await analyseBatches(context, prepared, files, missing);
  const findings = queue.analyses.listFindings(job.id);
  await keepSeenFrames(context, prepared, findings);
  if (!isDegraded) await keep(context, kept, findings);
  return findings;
}

interface AnalysedRange extends AnalysedBatch {
  readonly range: BatchRange;
}

/** @returns whether a model failed on the way, without which less is found */
async function analyseBatches(
  context: JobContext,
  prepared: PreparedJob,
  files: FrameFiles,
  missing: readonly BatchRange[],
): Promise<boolean> {
  const { queue, job, lease, inference, signal, memoryLimitBytes } = context;
  const framesTotal = framesToAnalyse(prepared);
  const framesMissing = missing.reduce((sum, { frameCount }) => sum + frameCount, 0);
  const progress = new JobProgress(
    ...([context, framesTotal, framesTotal - framesMissing, prepared.plan.firstBatchFrames] as const),
    { name: 'analysing', followedBy: queue.history.drawingShare(job.recipe) ?? ASSUMED_DRAWING },
  );
  const decode = createDecodeStage(context, prepared, files);
  let endedAtMs = 0;
  let isDegraded = false;
  let stateBefore = queue.analyses.getState(job.id, (missing[0]?.number ?? 0) - 1);
  const analyse = async (
    { range, startedAtMs, inputPath }: DecodedInput,
    stop: AbortSignal,
  ): Promise<AnalysedRange> => {
    const analysed = await inference.analyse({ batch: range, inputPath, stateBefore }, stop);
    const { findings, state } = analysed;
    stateBefore = state;
    isDegraded ||= analysed.isDegraded;
    await files.drop(range, 'in');
    // A batch is decoded while the one before is analysed: no time counts twice.
    const begunAtMs = Math.max(startedAtMs, endedAtMs);
    endedAtMs = performance.now();
    return { range, number: range.number, findings, state, elapsedMs: endedAtMs - begunAtMs };
  };
  const commit = ({ range, ...batch }: AnalysedRange): Promise<void> => {
    queue.analyses.commitAnalysis(lease, batch);
    progress.finishBatch(range.frameCount);
    assertWorkerMemory(memoryLimitBytes);
    return Promise.resolve();
  };
  try {
    const stages = {
      decode: (range: BatchRange) => decode.decodeOnly(range),
      transform: analyse,
      // There is nothing to encode yet.
      encode: (analysedRange: AnalysedRange) => Promise.resolve(analysedRange),
      commit,
    };
    await runStages(missing, stages, BATCHES_IN_FLIGHT, signal);
  } finally {
    await decode.close();
  }
  return isDegraded;
}
