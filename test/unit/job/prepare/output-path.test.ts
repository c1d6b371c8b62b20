import { symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { assertOutputAllowed, withExtension } from '../../../../src/job/prepare/output-path.ts';
import { jobAtWork } from '../job-fixture.ts';

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
