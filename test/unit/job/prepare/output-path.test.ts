import { symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { SAFE_DEFAULTS } from '../../../../src/config/settings.ts';
import { InputRejectedError } from '../../../../src/domain/errors.ts';
import { assertOutputAllowed, withExtension } from '../../../../src/job/prepare/output-path.ts';
import { PLAN } from '../../queue/queue-fixture.ts';
import { jobAtWork } from '../job-fixture.ts';

const KEEP_EXISTING = { output: { ...SAFE_DEFAULTS.output, existing: 'keep' as const } };

test.each([
  ['/out/clip.mp4', '.mp4', '/out/clip.mp4'],
  ['/out/clip.MP4', '.mp4', '/out/clip.MP4'],
  ['/out/clip.avi', '.mkv', '/out/clip.avi.mkv'],
  ['/out/clip', '.mp4', '/out/clip.mp4'],
  ['/out.mp4/clip', '.mp4', '/out.mp4/clip.mp4'],
  ['/out/.mp4', '.mp4', '/out/.mp4.mp4'],
])('%s with the extension %s becomes %s', (path, extension, expected) => {
  expect(withExtension(path, extension)).toBe(expected);
});

test.each([
  ['of 251 bytes gets the extension added', `${'x'.repeat(247)}.avi`, `${'x'.repeat(247)}.avi.mkv`],
  ['of 252 bytes gets its own extension replaced', `${'x'.repeat(248)}.avi`, `${'x'.repeat(248)}.mkv`],
  ['of 255 bytes gets its own extension replaced', `${'x'.repeat(251)}.avi`, `${'x'.repeat(251)}.mkv`],
  // An ä takes two bytes.
  [
    'of few letters and many bytes gets its own extension replaced',
    `${'ä'.repeat(124)}.avi`,
    `${'ä'.repeat(124)}.mkv`,
  ],
])('a name %s', (_, name, expected) => {
  const path = withExtension(`/out/${name}`, '.mkv');
  expect(basename(path)).toBe(expected);
  expect(Buffer.byteLength(basename(path))).toBeLessThanOrEqual(255);
});

test('an output in the output folder is allowed', async () => {
  const { context, job } = await jobAtWork();
  await assertOutputAllowed(context, job.outputPath);
});

test.each([
  ['the source itself', (source: string) => source],
  [
    'a symbolic link to the source',
    (source: string, outside: string) => (symlinkSync(source, outside), outside),
  ],
])('an output that would replace %s is rejected', async (_, place) => {
  const { context, job, home } = await jobAtWork();
  const path = place(job.sourcePath, join(home.output, 'link.mp4'));
  const rejection = assertOutputAllowed(context, path);
  await expect(rejection).rejects.toThrow(InputRejectedError);
  await expect(rejection).rejects.toMatchObject({
    code: 'OUTPUT_NOT_ALLOWED',
    message: expect.stringContaining(job.sourcePath) as string,
  });
});

test.each([
  ['directly', (input: string) => join(input, 'done.mp4')],
  ['in a new folder', (input: string) => join(input, 'new', 'folder', 'done.mp4')],
  [
    'through a symbolic link',
    (input: string, outside: string) => (symlinkSync(input, outside), join(outside, 'done.mp4')),
  ],
])('an output in the input folder is rejected: %s', async (_, place) => {
  const { context, home } = await jobAtWork();
  const path = place(home.input, join(home.output, 'link'));
  await expect(assertOutputAllowed(context, path)).rejects.toMatchObject({
    code: 'OUTPUT_NOT_ALLOWED',
    message: expect.stringContaining(home.input) as string,
  });
});

test('output.existing keep rejects the first start of a job whose output exists', async () => {
  const { context, job } = await jobAtWork({ settings: KEEP_EXISTING });
  writeFileSync(job.outputPath, 'another video');
  await expect(assertOutputAllowed(context, job.outputPath)).rejects.toMatchObject({
    code: 'OUTPUT_EXISTS',
    message: `${job.outputPath} already exists and output.existing is keep.`,
  });
});

test('output.existing keep lets a resumed job replace the output, which is its own', async () => {
  const { context, job } = await jobAtWork({ settings: KEEP_EXISTING });
  writeFileSync(job.outputPath, 'the output of this job');
  await assertOutputAllowed({ ...context, job: { ...job, plan: PLAN } }, job.outputPath);
});

test('output.existing keep lets an empty file be replaced', async () => {
  const { context, job } = await jobAtWork({ settings: KEEP_EXISTING });
  writeFileSync(job.outputPath, '');
  await assertOutputAllowed(context, job.outputPath);
});

test('output.existing replace lets an existing output be replaced', async () => {
  const { context, job } = await jobAtWork();
  writeFileSync(job.outputPath, 'another video');
  await assertOutputAllowed(context, job.outputPath);
});
