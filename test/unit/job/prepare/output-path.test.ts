import { symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { assertOutputAllowed, outputPaths } from '../../../../src/job/prepare/output-path.ts';
import { temporaryFolder } from '../../../helpers/temporary-folder.ts';
import { jobAtWork } from '../job-fixture.ts';

const pathsOf = (outputPath: string, extension: string, sourcePath = '/in/clip.avi') =>
  outputPaths({ outputPath, sourcePath }, extension);

test.each([
  ['/out/clip.mp4', '.mp4', ['/out/clip.mp4']],
  ['/out/clip.MP4', '.mp4', ['/out/clip.MP4']],
  ['/out/clip.avi', '.mkv', ['/out/clip.mkv', '/out/clip.avi.mkv']],
  ['/out/clip', '.mp4', ['/out/clip.mp4']],
  ['/out/trip.2019', '.mp4', ['/out/trip.2019.mp4']],
  ['/out.mp4/clip', '.mp4', ['/out.mp4/clip.mp4']],
  ['/out/.mp4', '.mp4', ['/out/.mp4.mp4']],
])('%s with the extension %s becomes %s', (path, extension, expected) => {
  expect(pathsOf(path, extension)).toEqual(expected);
});

test('the output of clip.avi does not take the name of the output of a clip.mkv', () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'clip.mkv'), '');
  expect(pathsOf('/out/clip.avi', '.mkv', join(folder, 'clip.avi'))).toEqual(['/out/clip.avi.mkv']);
});

test.each([
  ['of 251 bytes gets the extension added', `${'x'.repeat(240)}.unexpected`, 251 + 4],
  ['of 252 bytes gets its own extension replaced', `${'x'.repeat(241)}.unexpected`, 241 + 4],
  // An ä takes two bytes.
  ['of few letters and many bytes gets its own extension replaced', `${'ä'.repeat(122)}.unexpected`, 248],
])('a name %s', (_, name, bytes) => {
  const [path] = pathsOf(`/out/${name}`, '.mkv');
  expect(basename(path)).toMatch(/\.mkv$/);
  expect(Buffer.byteLength(basename(path))).toBe(bytes);
});

test('an output in the output folder is allowed', async () => {
  const { context, job } = await jobAtWork();
  expect(() => assertOutputAllowed(context, job.outputPath)).not.toThrow();
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
  expect(() => assertOutputAllowed(context, path)).toThrow(
    expect.objectContaining({
      code: 'OUTPUT_NOT_ALLOWED',
      message: expect.stringContaining(job.sourcePath) as string,
    }) as Error,
  );
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
  expect(() => assertOutputAllowed(context, path)).toThrow(
    expect.objectContaining({
      code: 'OUTPUT_NOT_ALLOWED',
      message: expect.stringContaining(home.input) as string,
    }) as Error,
  );
});
