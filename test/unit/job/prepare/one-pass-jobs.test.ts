import { rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { JobPlan } from '../../../../src/domain/job.ts';
import type { DualFaceRecipe } from '../../../../src/domain/recipe.ts';
import { withoutPlanOfOnePass } from '../../../../src/job/prepare/one-pass-jobs.ts';
import { PLAN } from '../../queue/queue-fixture.ts';
import { commitFakeSegment, jobAtWork } from '../job-fixture.ts';

const RECIPE: DualFaceRecipe = {
  ...{ pipeline: 'dual-face', model: 'model.onnx', device: 'cpu', width: 32, height: 24 },
  ...{ layout: 'side-by-side', detectEvery: 1, missing: 'wide' },
};

/** Resumes a job with two batches of 30 frames. */
async function resumed(plan: JobPlan, framesTotal = 100, isDamaged = false) {
  const work = await jobAtWork({ job: { recipe: RECIPE } });
  await commitFakeSegment(work, 0);
  await commitFakeSegment(work, 1);
  if (isDamaged)
    for (const { segmentName } of work.queue.batches.listBatches(work.job.id).slice(1))
      rmSync(work.folder.segmentPath(segmentName));
  const context = { ...work.context, job: { ...work.job, plan } };
  const { job } = await withoutPlanOfOnePass(context, work.folder, framesTotal);
  return { plan: job.plan, batches: work.queue.batches.listBatches(job.id).length, lines: work.lines };
}

test('a split screen that was begun in one pass loses its plan and checkpoints, and the log says so', async () => {
  expect(await resumed(PLAN)).toEqual({
    ...{ plan: null, batches: 0 },
    lines: [expect.stringContaining('60 frames of this split screen are from an older version') as unknown],
  });
});

test('a split screen of which one pass made all frames keeps them', async () => {
  expect(await resumed(PLAN, 60)).toEqual({ plan: PLAN, batches: 2, lines: [] });
});

test('a split screen of one pass starts over when one of its segments is missing', async () => {
  const { plan, batches, lines } = await resumed(PLAN, 60, true);
  expect({ plan, batches }).toEqual({ plan: null, batches: 0 });
  expect(lines.at(-1)).toContain('30 frames of this split screen');
});

test('a split screen of two passes resumes', async () => {
  const plan: JobPlan = { ...PLAN, passes: 2 };
  expect(await resumed(plan)).toEqual({ plan, batches: 2, lines: [] });
});
