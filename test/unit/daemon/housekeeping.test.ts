import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ensureHome } from '../../../src/config/home.ts';
import { removeCopiesOfFailedJobs, removeLeftovers } from '../../../src/daemon/housekeeping.ts';
import { JobFolder } from '../../../src/workspace/job-folder.ts';
import { loggerInto } from '../../helpers/in-process-worker.ts';
import { filesBelow } from '../../helpers/framekiln.ts';
import { HOME_ID, identifiedHomeAt } from '../../helpers/identified-home.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { ALICE, claimedJob, testQueue } from '../queue/queue-fixture.ts';

const HALF_MOVE = `.framekiln-${HOME_ID}-${'0a'.repeat(8)}.part`;

test('interrupted copies are removed from the folders that sources are moved to, and from no other', async () => {
  const home = identifiedHomeAt(temporaryFolder());
  ensureHome(home);
  for (const folder of ['finished', 'quarantine', 'input']) {
    mkdirSync(join(home.root, folder), { recursive: true });
    writeFileSync(join(home.root, folder, HALF_MOVE), 'half');
    writeFileSync(join(home.root, folder, 'clip.mp4'), 'whole');
  }
  expect(await removeLeftovers(home, testQueue())).toEqual(['2 partially moved files']);
  for (const folder of ['finished', 'quarantine'])
    expect(filesBelow(join(home.root, folder))).toEqual(['clip.mp4']);
  expect(filesBelow(home.input).sort()).toEqual([HALF_MOVE, 'clip.mp4']);
});

test('the copies of a job whose last worker crashed are removed, and what a retry needs stays', async () => {
  const home = identifiedHomeAt(temporaryFolder());
  ensureHome(home);
  const queue = testQueue();
  const { job, lease } = claimedJob(queue, ALICE, 0);
  const folder = new JobFolder(home, job.id);
  await folder.create();
  for (const path of [folder.spoken, folder.speech]) {
    mkdirSync(path);
    writeFileSync(join(path, 'copy'), 'copy');
  }
  writeFileSync(folder.indexFile, 'index');
  writeFileSync(folder.segmentPath('b0.1.mp4'), 'segment');
  const kept = ['.framekiln-home', 'frames.index', 'segments'];
  const cleanUp = async () => {
    await removeLeftovers(home, queue);
    await removeCopiesOfFailedJobs(home, queue, loggerInto([]));
    return readdirSync(folder.path).sort();
  };
  expect(await cleanUp()).toEqual([...kept, 'speech', 'spoken']);
  queue.leases.fail(lease, { code: 'INTERNAL', message: 'crashed', nowMs: 1 });
  expect(await cleanUp()).toEqual(kept);
  expect(readdirSync(folder.segments)).toEqual(['b0.1.mp4']);
});

test('a home without leftovers, finished/ or quarantine/ needs nothing', async () => {
  const home = identifiedHomeAt(temporaryFolder());
  ensureHome(home);
  expect(await removeLeftovers(home, testQueue())).toEqual([]);
});
