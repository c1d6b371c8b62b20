import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { InputRejectedError } from '../../../../src/domain/errors.ts';
import { fileSignature } from '../../../../src/lib/file-signature.ts';
import { prepareSource } from '../../../../src/job/prepare/prepare-source.ts';
import { sha256File } from '../../../../src/lib/sha256-file.ts';
import { withDolbyVision } from '../../../helpers/dolby-vision.ts';
import { PLAN } from '../../queue/queue-fixture.ts';
import { jobAtWork } from '../job-fixture.ts';

test('the first start indexes the source and stores the index; the next start uses it and decodes nothing', async () => {
  const work = await jobAtWork({ clip: { frames: 6 } });
  const first = await prepareSource(work.context, work.folder);
  expect(first).toMatchObject({ timeline: null, media: { video: { width: 32, height: 24 } } });
  expect(first.index.pts).toHaveLength(6);
  expect(work.stored().stage).toBe('index');
  expect(work.lines).toEqual([expect.stringMatching(/^indexed 6 frames in \d+\.\d s$/)]);

  const before = statSync(work.folder.indexFile, { bigint: true });
  const second = await prepareSource(work.context, work.folder);
  expect(second).toEqual(first);
  expect(work.stored().stage).toBe('probe');
  expect(work.lines).toHaveLength(1);
  expect(fileSignature(statSync(work.folder.indexFile, { bigint: true }))).toBe(fileSignature(before));
});

test('a torn index file is made again', async () => {
  const work = await jobAtWork({ clip: { frames: 3 } });
  const first = await prepareSource(work.context, work.folder);
  const bytes = readFileSync(work.folder.indexFile);
  writeFileSync(work.folder.indexFile, bytes.subarray(0, bytes.length - 1));
  expect(await prepareSource(work.context, work.folder)).toEqual(first);
  expect(readFileSync(work.folder.indexFile)).toEqual(bytes);
});

test.each<[string, (path: string) => void, string, string]>([
  ['is gone', (path) => rmSync(path), 'SOURCE_MISSING', 'clip.mp4 is gone; put it back to resume the job.'],
  [
    'was replaced',
    (path) => writeFileSync(path, 'another video'),
    'SOURCE_CHANGED',
    'clip.mp4 was changed or replaced after it was queued.',
  ],
  [
    'has become a folder',
    (path) => {
      rmSync(path);
      mkdirSync(path);
    },
    'NOT_A_REGULAR_FILE',
    'clip.mp4 is no longer a regular file.',
  ],
])('a job whose source %s is rejected before anything is decoded', async (_, change, code, message) => {
  const work = await jobAtWork();
  change(work.job.sourcePath);
  const preparation = prepareSource(work.context, work.folder);
  await expect(preparation).rejects.toThrow(InputRejectedError);
  await expect(preparation).rejects.toMatchObject({ code, message });
});

test('a source without a frame that decodes is rejected', async () => {
  const work = await jobAtWork();
  await expect(prepareSource(work.context, work.folder)).rejects.toThrow(InputRejectedError);
});

test('Dolby Vision profile 5 is rejected, but not for a job that an older version began', async () => {
  const { context, folder, job } = await jobAtWork({ clip: { frames: 3 } });
  withDolbyVision(job.sourcePath, 5, 0);
  const fingerprint = await sha256File(job.sourcePath);
  const prepared = (plan: typeof job.plan) =>
    prepareSource({ ...context, job: { ...job, fingerprint, plan } }, folder);
  await expect(prepared(null)).rejects.toMatchObject({ code: 'UNSUPPORTED_COLOR' });
  expect((await prepared(PLAN)).media.video.dynamicHdr).toBe('Dolby Vision');
});
