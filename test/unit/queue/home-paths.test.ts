import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDatabase } from '../../../src/queue/database.ts';
import { homePaths } from '../../../src/queue/home-paths.ts';
import { migrate } from '../../../src/queue/migrate.ts';
import { MIGRATIONS } from '../../../src/queue/migrations.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { newJob, testQueue } from './queue-fixture.ts';

test.each([
  ['/home/a/input/clip.mp4', 'input/clip.mp4'],
  ['/home/a/..clip.mp4', '..clip.mp4'],
  ['/home/ab/clip.mp4', '/home/ab/clip.mp4'],
  ['/home/clip.mp4', '/home/clip.mp4'],
  ['/media/card/clip.mp4', '/media/card/clip.mp4'],
])('%s is stored as %s', (path, stored) => {
  const { toStored, fromStored } = homePaths('/home/a/.framekiln/framekiln.db');
  expect(toStored(path)).toBe(stored);
  expect(fromStored(stored)).toBe(path);
});

test('a home that was moved finds its own files, and files elsewhere stay where they are', () => {
  const root = temporaryFolder();
  const [before, after] = [join(root, 'before'), join(root, 'after')];
  mkdirSync(join(before, '.framekiln'), { recursive: true });
  const queue = testQueue(join(before, '.framekiln/framekiln.db'));
  const [sourcePath, outputPath] = [join(before, 'input/a.mp4'), join(before, 'output/a.mp4')];
  queue.jobs.enqueue(newJob({ sourcePath, outputPath }));
  queue.jobs.enqueue(newJob({ sourcePath: '/card/b.mp4', outputPath: '/elsewhere/b.mp4', origin: 'run' }));
  const seen = {
    signature: '1',
    takenSignature: '1',
    state: 'taken',
    sinceAtMs: 1,
    code: null,
    message: null,
  } as const;
  queue.seenFiles.putAll([{ ...seen, path: sourcePath }]);
  queue.close();
  renameSync(before, after);

  const moved = testQueue(join(after, '.framekiln/framekiln.db'));
  expect(moved.jobs.listJobs().map((job) => [job.sourcePath, job.outputPath])).toEqual([
    [join(after, 'input/a.mp4'), join(after, 'output/a.mp4')],
    ['/card/b.mp4', '/elsewhere/b.mp4'],
  ]);
  expect(moved.seenFiles.list().map(({ path }) => path)).toEqual([join(after, 'input/a.mp4')]);
});

test('absolute paths of an older version become relative where they are inside the home', () => {
  const home = temporaryFolder();
  const path = join(home, '.framekiln/framekiln.db');
  mkdirSync(join(home, '.framekiln'));
  const db = openDatabase(path, undefined, MIGRATIONS.slice(0, 7));
  const insert = db.prepare(
    `INSERT INTO jobs (origin, scope, source_path, output_path, fingerprint, recipe, priority, created_at_ms)
     VALUES ('run', @output, @source, @output, @source, '{}', 0, 1)`,
  );
  insert.run({ source: join(home, 'input/a.mp4'), output: join(home, 'output/a.mp4') });
  insert.run({ source: `${home}-2/input/a.mp4`, output: `${home}-2/output/a.mp4` });
  db.prepare(`INSERT INTO seen_files VALUES (?, 's', 'taken', 1, NULL, NULL)`).run(join(home, 'input/a.mp4'));
  migrate(db, MIGRATIONS);
  expect(db.prepare(`SELECT source_path AS source, output_path AS output, scope FROM jobs`).all()).toEqual([
    { source: 'input/a.mp4', output: 'output/a.mp4', scope: 'output/a.mp4' },
    {
      source: `${home}-2/input/a.mp4`,
      output: `${home}-2/output/a.mp4`,
      scope: `${home}-2/output/a.mp4`,
    },
  ]);
  expect(db.prepare(`SELECT path FROM seen_files`).pluck().all()).toEqual(['input/a.mp4']);
  db.close();
});
