import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SAFE_DEFAULTS } from '../../../../src/config/settings.ts';
import { sha256File } from '../../../../src/lib/sha256-file.ts';
import { StoppedError } from '../../../../src/domain/errors.ts';
import { settleSource } from '../../../../src/job/finish/settle-source.ts';
import { jobAtWork, type JobRequest } from '../job-fixture.ts';

/** A published job whose source is kept, moved or deleted. */
async function published(source: 'keep' | 'move' | 'delete', job: JobRequest['job'] = {}) {
  const work = await jobAtWork({ job, settings: { output: { ...SAFE_DEFAULTS.output, source } } });
  const { sourcePath, outputPath } = work.job;
  writeFileSync(outputPath, 'the finished video');
  const output = { path: outputPath, sha256: await sha256File(outputPath), sourceDamage: null };
  const finished = join(work.home.root, 'finished', 'clip.mp4');
  const textOf = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : null);
  const places = () => ({ source: textOf(sourcePath), finished: textOf(finished) });
  return { ...work, sourcePath, output, finished, places };
}

const CONTENT = 'not a video';

test.each([
  ['keep', { source: CONTENT, finished: null }],
  ['move', { source: null, finished: CONTENT }],
  ['delete', { source: null, finished: null }],
] as const)('output.source %s', async (setting, expected) => {
  const { context, output, places, lines } = await published(setting);
  await settleSource(context, output);
  expect(places()).toEqual(expected);
  expect(lines).toEqual([]);
});

test('a job of framekiln run leaves its source where it is', async () => {
  const { context, output, places } = await published('delete');
  await settleSource({ ...context, job: { ...context.job, origin: 'run' } }, output);
  expect(places().source).toBe(CONTENT);
});

test.each(['move', 'delete'] as const)(
  'a source that was replaced after it was read stays with output.source %s, and a warning says why',
  async (setting) => {
    const { context, sourcePath, output, places, lines } = await published(setting);
    rmSync(sourcePath);
    writeFileSync(sourcePath, 'another video');
    await settleSource(context, output);
    expect(places()).toEqual({ source: 'another video', finished: null });
    expect(lines).toEqual(['the source is kept: clip.mp4 was changed or replaced after it was queued']);
  },
);

test('a source is settled only if its bytes are those that were queued', async () => {
  const same = await published('move');
  await settleSource(same.context, same.output);
  expect(same.places()).toEqual({ source: null, finished: CONTENT });
  const replaced = await published('move');
  writeFileSync(replaced.sourcePath, 'another video');
  await settleSource(replaced.context, replaced.output);
  expect(replaced.places()).toEqual({ source: 'another video', finished: null });
});

test.each(['move', 'delete'] as const)(
  'settling twice is no error with output.source %s',
  async (setting) => {
    const { context, output, places, lines } = await published(setting);
    await settleSource(context, output);
    const before = places();
    await settleSource(context, output);
    expect(places()).toEqual(before);
    expect(lines).toEqual([]);
  },
);

test('a source that cannot be moved stays, and the job is done all the same', async () => {
  const { context, output, places, lines, home } = await published('move');
  writeFileSync(join(home.root, 'finished'), 'a file where the folder belongs');
  await settleSource(context, output);
  expect(places().source).toBe(CONTENT);
  expect(lines).toEqual([expect.stringMatching(/^the source is kept: ./)]);
});

test('a moved source replaces no other file of its name', async () => {
  const { context, output, finished, home, job } = await published('move');
  mkdirSync(join(home.root, 'finished'));
  writeFileSync(finished, 'an earlier clip.mp4');
  await settleSource(context, output);
  expect(readFileSync(finished, 'utf8')).toBe('an earlier clip.mp4');
  expect(readFileSync(join(home.root, 'finished', `${job.id}-clip.mp4`), 'utf8')).toBe(CONTENT);
});

describe.each(['move', 'delete'] as const)('output.source %s keeps the source', (setting) => {
  test('that was overwritten in place with a file of the same size and time', async () => {
    const { context, sourcePath, output, places, lines } = await published(setting);
    const { atime, mtime } = statSync(sourcePath);
    writeFileSync(sourcePath, 'NOT A VIDEO');
    utimesSync(sourcePath, atime, mtime);
    await settleSource(context, output);
    expect(places()).toEqual({ source: 'NOT A VIDEO', finished: null });
    expect(lines).toEqual([expect.stringContaining('was changed or replaced')]);
  });

  test('when the output is gone', async () => {
    const { context, output, places, lines } = await published(setting);
    rmSync(output.path);
    await settleSource(context, output);
    expect(places()).toEqual({ source: CONTENT, finished: null });
    expect(lines).toEqual([expect.stringMatching(/^the source is kept: clip\.mp4 is no longer in /)]);
  });

  test('when the output is no longer the one that was verified', async () => {
    const { context, output, places, lines } = await published(setting);
    writeFileSync(output.path, 'the finished vid');
    await settleSource(context, output);
    expect(places()).toEqual({ source: CONTENT, finished: null });
    expect(lines).toEqual([expect.stringContaining('changed after it was verified')]);
  });

  test('when nothing is known about the output', async () => {
    const { context, places, lines } = await published(setting);
    await settleSource(context, null);
    expect(places()).toEqual({ source: CONTENT, finished: null });
    expect(lines).toEqual([expect.stringContaining('the report of the job cannot be read')]);
  });

  test('that is damaged', async () => {
    const { context, output, places, lines } = await published(setting);
    await settleSource(context, { ...output, sourceDamage: '9 of 10 frames decode' });
    expect(places()).toEqual({ source: CONTENT, finished: null });
    expect(lines).toEqual([expect.stringContaining('9 of 10 frames decode')]);
  });

  test('that a process still has open for writing', async () => {
    const { context, sourcePath, output, places, lines } = await published(setting);
    const writer = openSync(sourcePath, 'a');
    try {
      await settleSource(context, output);
    } finally {
      closeSync(writer);
    }
    expect(places()).toEqual({ source: CONTENT, finished: null });
    expect(lines).toEqual([expect.stringMatching(/process \d+ has clip\.mp4 open for writing/)]);
  });
});

test.each(['move', 'delete'] as const)(
  'a stop while output.source %s is checked ends the job for now, so that it is settled later',
  async (setting) => {
    const { context, output, places, lines } = await published(setting);
    const signal = AbortSignal.abort(new StoppedError('The worker is stopping.'));
    await expect(settleSource({ ...context, signal }, output)).rejects.toThrow('The worker is stopping.');
    expect(places()).toEqual({ source: CONTENT, finished: null });
    expect(lines).toEqual([]);
    await settleSource(context, output);
    expect(places().source).toBeNull();
  },
);
