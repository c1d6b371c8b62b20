import { existsSync, mkdtempSync, rmSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { TransientError } from '../../../../src/domain/errors.ts';
import type { CommittedBatch } from '../../../../src/domain/job.ts';
import { checkDiskSpace, checkDiskSpaceOfStill } from '../../../../src/job/prepare/check-disk-space.ts';
import type { PreparedJob } from '../../../../src/job/prepare/prepared-job.ts';
import { indexOf, jobAtWork, preparedWithoutVideo } from '../job-fixture.ts';

/** Width and height of an output of which one frame takes more than any disk has, by the first guess. */
const HUGE = 1e8;

/** Checks the disk space of a prepared job of 10 frames, with `changes`. */
async function checked(changes: (prepared: PreparedJob) => Partial<PreparedJob>) {
  const work = await jobAtWork();
  const prepared = preparedWithoutVideo(work);
  const changed = { ...prepared, ...changes(prepared) };
  return { ...work, changed, check: checkDiskSpace(work.context, work.folder, changed) };
}

function hugeOutput({ formats }: PreparedJob): Pick<PreparedJob, 'formats'> {
  return { formats: { ...formats, output: { ...formats.output, width: HUGE, height: HUGE } } };
}

function batchOf(frameCount: number, segmentBytes: number): CommittedBatch {
  return {
    ...{ number: 0, firstFrame: 0, frameCount, segmentName: 'b0000.1.mp4', segmentBytes },
    ...{
      segmentSha256: '',
      encoder: 'libx264',
      elapsedMs: 1,
      analysisMs: null,
      framesReused: null,
      committedAtMs: 1,
    },
  };
}

function freeBytesOf(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}

/** An output folder on another file system than the job folders; null on a machine with only one. */
function folderOnOtherDisk(path: string): string | null {
  const folder = mkdtempSync('/dev/shm/framekiln-test-space-');
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return statSync(folder).dev === statSync(path).dev ? null : folder;
}

test('a job that fits the disk passes, and its output folder is created', async () => {
  const { check, changed } = await checked(({ outputPath }) => ({
    outputPath: join(dirname(outputPath), 'series', 'one', 'clip.mp4'),
  }));
  await check;
  expect(existsSync(dirname(changed.outputPath))).toBe(true);
});

test('a job that does not fit waits, and the message names the file, the folder and both sizes', async () => {
  const { check, changed } = await checked(hugeOutput);
  const error: unknown = await check.catch((each: unknown) => each);
  expect(error).toBeInstanceOf(TransientError);
  expect(error).toMatchObject({ code: 'DISK_FULL' });
  expect(String(error)).toMatch(
    new RegExp(
      `clip.mp4 needs about \\d.* [A-Z]+ in ${dirname(changed.outputPath)}, but only .*\\d [A-Z]+ is free\\.$`,
      'i',
    ),
  );
});

test('a still image whose output does not fit waits', async () => {
  const { context, changed } = await checked((prepared) => prepared);
  const { output } = changed.formats;
  await checkDiskSpaceOfStill(context, changed.outputPath, output, 'png');
  const huge = { ...output, width: HUGE, height: HUGE };
  await expect(checkDiskSpaceOfStill(context, changed.outputPath, huge, 'png')).rejects.toMatchObject({
    code: 'DISK_FULL',
  });
});

test('a JPEG does not wait for the space of uncompressed pixels', async () => {
  const { context, changed } = await checked((prepared) => prepared);
  // As many pixels as half the free bytes.
  const width = Math.floor(freeBytesOf(context.home.root) / 2);
  const large = { ...changed.formats.output, width, height: 1 };
  await checkDiskSpaceOfStill(context, changed.outputPath, large, 'jpeg');
  await expect(checkDiskSpaceOfStill(context, changed.outputPath, large, 'tiff')).rejects.toMatchObject({
    code: 'DISK_FULL',
  });
});

test('the size of the segments so far decides, and not a guess from the size of the frames', async () => {
  const { check } = await checked((prepared) => ({
    ...hugeOutput(prepared),
    committed: [batchOf(5, 5_000)],
  }));
  await check;
});

test('the size of the segments so far shows that small frames do not fit', async () => {
  const { check } = await checked(() => ({ committed: [batchOf(1, 1e15)] }));
  await expect(check).rejects.toMatchObject({ code: 'DISK_FULL' });
});

test('on one disk the missing segments and the output must fit together', async () => {
  // The missing segments take 0.6 of the free space, and the output a little more than that.
  const { check } = await checked(({ outputPath }) => ({
    index: indexOf(2_000),
    committed: [batchOf(1, (0.6 * freeBytesOf(dirname(outputPath))) / 1_999)],
  }));
  await expect(check).rejects.toMatchObject({ code: 'DISK_FULL' });
});

test.each([
  ['job folder', 1, 1e15],
  ['output folder', 10, 1e15],
] as const)('with two disks the %s that is too small is named', async (which, frameCount, segmentBytes) => {
  const work = await jobAtWork();
  const prepared = preparedWithoutVideo(work);
  const output = folderOnOtherDisk(work.folder.path);
  if (output === null) return;
  const changed = {
    ...prepared,
    outputPath: join(output, 'clip.mp4'),
    // With all frames committed only the output needs room.
    committed: [batchOf(frameCount, segmentBytes)],
  };
  await expect(checkDiskSpace(work.context, work.folder, changed)).rejects.toThrow(
    ` in ${which === 'job folder' ? work.folder.path : output}, but only `,
  );
});
