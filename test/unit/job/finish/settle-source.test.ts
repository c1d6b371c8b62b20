import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SAFE_DEFAULTS } from '../../../../src/config/settings.ts';
import { fileSignature } from '../../../../src/lib/file-signature.ts';
import { settleSource } from '../../../../src/job/finish/settle-source.ts';
import { jobAtWork, type JobRequest } from '../job-fixture.ts';

/** A published job whose source is kept, moved or deleted. */
async function published(source: 'keep' | 'move' | 'delete', job: JobRequest['job'] = {}) {
  const work = await jobAtWork({ job, settings: { output: { ...SAFE_DEFAULTS.output, source } } });
  const { sourcePath } = work.job;
  const signature = fileSignature(statSync(sourcePath, { bigint: true }));
  const finished = join(work.home.root, 'finished', 'clip.mp4');
  const textOf = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : null);
  const places = () => ({ source: textOf(sourcePath), finished: textOf(finished) });
  return { ...work, sourcePath, signature, finished, places };
}

const CONTENT = 'not a video';

test.each([
  ['keep', { source: CONTENT, finished: null }],
  ['move', { source: null, finished: CONTENT }],
  ['delete', { source: null, finished: null }],
] as const)('output.source %s', async (setting, expected) => {
  const { context, signature, places, lines } = await published(setting);
  await settleSource(context, signature);
  expect(places()).toEqual(expected);
  expect(lines).toEqual([]);
});

test('a job of framekiln run leaves its source where it is', async () => {
  const { context, signature, places } = await published('delete');
  await settleSource({ ...context, job: { ...context.job, origin: 'run' } }, signature);
  expect(places().source).toBe(CONTENT);
});

test.each(['move', 'delete'] as const)(
  'a source that was replaced after it was read stays with output.source %s, and a warning says why',
  async (setting) => {
    const { context, sourcePath, signature, places, lines } = await published(setting);
    rmSync(sourcePath);
    writeFileSync(sourcePath, 'another video');
    await settleSource(context, signature);
    expect(places()).toEqual({ source: 'another video', finished: null });
    expect(lines).toEqual([
      'the source stays in place: clip.mp4 was replaced by another file after it was queued.',
    ]);
  },
);

test('a resumed job that does not know the signature reads the source, and settles it only if it is the same', async () => {
  const same = await published('move');
  await settleSource(same.context, null);
  expect(same.places()).toEqual({ source: null, finished: CONTENT });
  const replaced = await published('move');
  writeFileSync(replaced.sourcePath, 'another video');
  await settleSource(replaced.context, null);
  expect(replaced.places()).toEqual({ source: 'another video', finished: null });
});

test.each(['move', 'delete'] as const)(
  'settling twice is no error with output.source %s',
  async (setting) => {
    const { context, signature, places, lines } = await published(setting);
    await settleSource(context, signature);
    const before = places();
    await settleSource(context, null);
    expect(places()).toEqual(before);
    expect(lines).toEqual([]);
  },
);

test('a source that cannot be moved stays, and the job is done all the same', async () => {
  const { context, signature, places, lines, home } = await published('move');
  writeFileSync(join(home.root, 'finished'), 'a file where the folder belongs');
  await settleSource(context, signature);
  expect(places().source).toBe(CONTENT);
  expect(lines).toEqual([expect.stringMatching(/^the source stays in place: ./)]);
});

test('a moved source replaces no other file of its name', async () => {
  const { context, signature, finished, home, job } = await published('move');
  mkdirSync(join(home.root, 'finished'));
  writeFileSync(finished, 'an earlier clip.mp4');
  await settleSource(context, signature);
  expect(readFileSync(finished, 'utf8')).toBe('an earlier clip.mp4');
  expect(readFileSync(join(home.root, 'finished', `${job.id}-clip.mp4`), 'utf8')).toBe(CONTENT);
});
