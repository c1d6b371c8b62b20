import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, test } from 'vitest';
import { SAFE_DEFAULTS } from '../../../src/config/settings.ts';
import { assertNameIsFree, reserveOutputName } from '../../../src/job/output-name.ts';
import { sha256File } from '../../../src/lib/sha256-file.ts';
import { newJob } from '../queue/queue-fixture.ts';
import { jobAtWork, type JobAtWork } from './job-fixture.ts';

type Existing = typeof SAFE_DEFAULTS.output.existing;

function workWith(existing: Existing): Promise<JobAtWork> {
  return jobAtWork({ settings: { output: { ...SAFE_DEFAULTS.output, existing } } });
}

/** Writes a file at the path of the output and records it as the output of a job. */
async function putOutput(
  { queue, job }: JobAtWork,
  owner: { id: number; fingerprint: string },
  text: string,
) {
  writeFileSync(job.outputPath, text);
  const sha256 = await sha256File(job.outputPath);
  queue.outputs.addWritten(owner, { sha256, bytes: text.length });
}

async function reserved(work: JobAtWork) {
  const { path, replaces } = await reserveOutputName(work.context, work.job.outputPath);
  expect(work.stored().outputPath).toBe(path);
  return { name: basename(path), replaces };
}

const MODES = ['keep-both', 'replace', 'keep'] as const;

test.each(MODES)('a free name is reserved as requested (%s)', async (existing) => {
  expect(await reserved(await workWith(existing))).toEqual({ name: 'clip.mp4', replaces: false });
});

test.each([
  ['a file', (path: string) => writeFileSync(path, 'holiday')],
  ['an empty file', (path: string) => writeFileSync(path, '')],
  ['a folder', (path: string) => mkdirSync(path)],
  ['a dangling link', (path: string) => symlinkSync('/nowhere', path)],
])('%s of others is never replaced', async (_, put) => {
  for (const existing of MODES) {
    const work = await workWith(existing);
    put(work.job.outputPath);
    expect(await reserved(work), existing).toEqual({ name: 'clip (2).mp4', replaces: false });
  }
});

test.each(MODES)('the output of an earlier run of the job is replaced (%s)', async (existing) => {
  const work = await workWith(existing);
  await putOutput(work, work.job, 'finished video');
  expect(await reserved(work)).toEqual({ name: 'clip.mp4', replaces: true });
});

test('an output of the same size that was edited is not replaced', async () => {
  const work = await workWith('replace');
  await putOutput(work, work.job, 'finished video');
  writeFileSync(work.job.outputPath, 'finished VIDEO');
  expect(await reserved(work)).toEqual({ name: 'clip (2).mp4', replaces: false });
});

test.each([
  ['keep-both', 'an older job for the same content', 'clip (2).mp4'],
  ['replace', 'an older job for the same content', 'clip.mp4'],
  ['replace', 'a newer job for the same content', 'clip (2).mp4'],
  ['replace', 'another content', 'clip (2).mp4'],
] as const)('with %s, the output of %s leaves the name %s', async (existing, owner, name) => {
  const work = await workWith(existing);
  const { fingerprint } = work.job;
  const id = owner.startsWith('a newer') ? work.job.id + 1 : 0;
  await putOutput(
    work,
    { id, fingerprint: owner === 'another content' ? 'ff' : fingerprint },
    'finished video',
  );
  expect(await reserved(work)).toEqual({ name, replaces: name === 'clip.mp4' });
});

test('a name that another unfinished job holds is not reserved, whatever its source is named', async () => {
  const work = await workWith('keep-both');
  const outputPath = work.job.outputPath.replace('clip.mp4', 'film.avi.mkv');
  work.queue.jobs.enqueue(newJob({ outputPath }));
  const { path } = await reserveOutputName(work.context, outputPath);
  expect(basename(path)).toBe('film.avi (2).mkv');
});

test('output.existing keep rejects a job whose name is taken by a file of others', async () => {
  const work = await workWith('keep');
  await assertNameIsFree(work.context, work.job.outputPath);
  writeFileSync(work.job.outputPath, 'holiday');
  await expect(assertNameIsFree(work.context, work.job.outputPath)).rejects.toMatchObject({
    code: 'OUTPUT_EXISTS',
    message: 'clip.mp4 already exists, and output.existing is set to keep.',
  });
});
