import { toError } from '../../domain/errors.ts';
import { withoutFullStop } from '../../lib/without-full-stop.ts';
import { KeptAnalysis } from '../../workspace/kept-analyses.ts';
import type { JobContext } from '../job-context.ts';
import type { PreparedJob } from '../prepare/prepared-job.ts';
import { framesToAnalyse } from '../prepare/prepared-source.ts';

/** Increases when findings get another meaning, so that those of an earlier version are not used. */
const VERSION = 2;

/** The place of the findings of a job: the same for every job that would find the same. */
export function keptAnalysisOf(
  { home, job }: Pick<JobContext, 'home' | 'job'>,
  prepared: PreparedJob,
): KeptAnalysis {
  const { media, model, embedding, detector, plan } = prepared;
  const { recipe, fingerprint } = job;
  const detectEvery = recipe.pipeline === 'dual-face' ? recipe.detectEvery : null;
  return new KeptAnalysis(home, [
    ...[VERSION, fingerprint, framesToAnalyse(prepared), media.video.width, media.video.height],
    ...[recipe.pipeline, model?.sha256, embedding?.sha256, detectEvery, plan.decodedTo],
    ...(recipe.pipeline === 'lip-sync' ? [detector?.sha256, recipe.extend] : []),
  ]);
}

/** The findings of an earlier job; null if there are none, or if they are damaged. */
export async function takeOver({ log }: JobContext, kept: KeptAnalysis): Promise<Uint8Array[] | null> {
  try {
    const findings = await kept.read();
    if (findings !== null) log.info('reusing the analysis of an earlier job; faces are not detected again');
    return findings;
  } catch (error) {
    log.warn(
      `the kept analysis of this video is damaged (${toError(error).message}); analysing the video again`,
    );
    await kept.remove();
    return null;
  }
}

/** Keeps the findings for later jobs. That is a convenience: the job goes on if it fails. */
export async function keep(
  { log }: JobContext,
  kept: KeptAnalysis,
  findings: readonly Uint8Array[],
): Promise<void> {
  try {
    await kept.write(findings);
  } catch (error) {
    log.warn(
      `cannot keep the analysis, so correcting this split screen will need a new one: ${withoutFullStop(toError(error).message)}`,
    );
  }
}
