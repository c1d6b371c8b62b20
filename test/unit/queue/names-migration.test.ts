import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Recipe } from '../../../src/domain/recipe.ts';
import { openDatabase } from '../../../src/queue/database.ts';
import { MIGRATIONS } from '../../../src/queue/migrations.ts';
import { salvageDatabase } from '../../../src/queue/salvage.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { testQueue } from './queue-fixture.ts';

/* Rows as version 0.1 wrote them, read through the stores of today. Values are literals on purpose. */
const OLD_RECIPE =
  '{"device":"auto","network":"realesr-general-x4v3","pipeline":"upscale","scale":2,"tile":"auto"}';
const OLD_DUAL_FACE =
  '{"detectEvery":3,"device":"cpu","height":720,"layout":"stacked","missing":"wide","network":"blazeface-full","pipeline":"dual-face","width":1280}';
const OLD_PLAN =
  '{"codec":"h264","encoder":{"crf":18,"preset":"medium","threads":2},"tile":128,"networkSha256":"ab","firstBatchFrames":30,"batchFrames":60}';
const DUAL_FACE: Recipe = {
  ...{ pipeline: 'dual-face', model: 'blazeface-full', device: 'cpu', width: 1280, height: 720 },
  ...{ layout: 'stacked', detectEvery: 3, missing: 'wide' },
};
const RECIPE: Recipe = {
  pipeline: 'upscale',
  model: 'realesr-general-x4v3',
  scale: 2,
  device: 'auto',
  tile: 'auto',
};

function writeOldDatabase(path: string): void {
  const db = openDatabase(path, undefined, MIGRATIONS.slice(0, 6));
  const insertJob = db.prepare(
    `INSERT INTO jobs (id, origin, scope, source_path, output_path, fingerprint, recipe, state, priority, attempts, plan,
       frames_total, frames_done, error_code, error_message, created_at_ms)
     VALUES (?, 'watch', '', ?, ?, ?, ?, ?, 0, 1, ?, 60, 30, ?, ?, 1)`,
  );
  const job = (id: number, recipe: string, state: string, plan: string | null, code: string | null): void =>
    void insertJob.run(
      id,
      `/in/${id}.mp4`,
      `/out/${id}.mp4`,
      `f${id}`,
      recipe,
      state,
      plan,
      code,
      code && 'Why.',
    );
  job(1, OLD_RECIPE, 'queued', OLD_PLAN, null);
  job(2, OLD_DUAL_FACE, 'done', null, null);
  job(3, OLD_RECIPE, 'failed', null, 'NETWORK_CHECKSUM');
  job(4, OLD_RECIPE, 'failed', null, 'CLOCK_JUMPS');
  job(5, OLD_RECIPE, 'failed', null, 'OUTPUT_TOO_LARGE');
  db.exec(`
    INSERT INTO batches VALUES (1, 0, 0, 30, 'b0.mkv', 1234, 'cd', 'libx264', x'0102', 12.5, 2);
    INSERT INTO commands (kind, job_id, argument, created_at_ms) VALUES
      ('add', NULL, '{"path":"/a.mp4","recipe":${OLD_RECIPE},"priority":0}', 1), ('pause', 1, 'null', 2);
    INSERT INTO events (job_id, at_ms, kind, message) VALUES (3, 1, 'try-failed', 'a'), (3, 2, 'refused', 'b'), (3, 3, 'resumed', 'c');
    INSERT INTO seen_files (path, look, state, since_at_ms, code, message) VALUES
      ('/in/1.mp4', '9:8:7', 'taken', 5, NULL, NULL), ('/in/x.ts', '1:2:3', 'refused', 5, 'CLOCK_JUMPS', 'The clock jumps.'),
      ('/in/y.ts', '4:5:6', 'settling', 6, NULL, NULL);
    INSERT INTO settings VALUES ('queue_paused', 'true'), ('rest', 'quiet hours (22:00-07:30)');
    INSERT INTO tile_sizes VALUES ('gpu', 1, 'ab', 2, 640, 480, 128, 1);
  `);
  db.close();
}

test('a database of version 0.1 is read by the stores of today', () => {
  const path = join(temporaryFolder(), 'queue.db');
  writeOldDatabase(path);
  const queue = testQueue(path);

  const jobs = queue.jobs.listJobs();
  expect(jobs[0]).toMatchObject({
    recipe: RECIPE,
    plan: { codec: 'h264', tile: 128, modelSha256: 'ab', firstBatchFrames: 30, batchFrames: 60 },
  });
  expect(jobs[0]?.plan).not.toHaveProperty('networkSha256');
  expect(jobs[1]?.recipe).toEqual(DUAL_FACE);
  expect(jobs.slice(2).map(({ errorCode }) => errorCode)).toEqual([
    'MODEL_CHECKSUM',
    'TIMESTAMP_DISCONTINUITY',
    'OUTPUT_TOO_LARGE',
  ]);
  expect(queue.batches.listBatches(1)).toMatchObject([{ segmentName: 'b0.mkv', frameCount: 30 }]);
  expect(queue.commands.nextCommands().map(({ argument }) => argument)).toEqual([
    { path: '/a.mp4', recipe: RECIPE, priority: 0 },
    null,
  ]);
  expect(queue.events.listEvents(3, 9).map(({ kind }) => kind)).toEqual([
    'resumed',
    'rejected',
    'attempt-failed',
  ]);
  expect(queue.seenFiles.list()).toMatchObject([
    { path: '/in/1.mp4', signature: '9:8:7', state: 'taken' },
    { path: '/in/x.ts', signature: '1:2:3', state: 'rejected', code: 'TIMESTAMP_DISCONTINUITY' },
    { path: '/in/y.ts', signature: '4:5:6', state: 'settling' },
  ]);
  expect(queue.control.isQueuePaused()).toBe(true);
});

test.each([
  [1, RECIPE],
  [2, DUAL_FACE],
  [2, { ...DUAL_FACE, single: 'full' } as const],
])('content that job %d of version 0.1 has is not processed again', (id, recipe) => {
  const path = join(temporaryFolder(), 'queue.db');
  writeOldDatabase(path);
  const { job, created } = testQueue(path).jobs.enqueue({
    ...{ origin: 'watch', sourcePath: `/in/${id}.mp4`, outputPath: `/out/${id}.mp4`, fingerprint: `f${id}` },
    ...{ recipe, priority: 0, nowMs: 9 },
  });
  expect({ id: job.id, created }).toEqual({ id, created: false });
});

test('rows saved from a damaged database of version 0.1 are migrated too', () => {
  const path = join(temporaryFolder(), 'queue.db');
  writeOldDatabase(path);
  expect(salvageDatabase(path, 0)).toMatchObject({ jobs: 5, batches: 1 });
  const queue = testQueue(path);
  expect(queue.jobs.getJob(1)).toMatchObject({ recipe: RECIPE, plan: { modelSha256: 'ab' } });
  expect(queue.seenFiles.list().map(({ state }) => state)).toEqual(['taken', 'rejected', 'settling']);
});

test('a file that is no database at all is replaced by an empty queue', () => {
  const path = join(temporaryFolder(), 'queue.db');
  writeFileSync(path, 'not a database, but long enough to have a header of one hundred bytes '.repeat(20));
  expect(salvageDatabase(path, 0)).toMatchObject({ jobs: 0, batches: 0 });
  expect(testQueue(path).jobs.listJobs()).toEqual([]);
});
