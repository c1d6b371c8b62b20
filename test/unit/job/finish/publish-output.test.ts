import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { LeaseLostError } from '../../../../src/domain/errors.ts';
import { joinedOutput } from '../../../../src/job/finish/join-and-verify.ts';
import { publishOutput } from '../../../../src/job/finish/publish-output.ts';
import { readReport } from '../../../../src/reports/media-report.ts';
import { halfOutputPath } from '../../../../src/workspace/half-output.ts';
import { jobAtWork, preparedWithoutVideo } from '../job-fixture.ts';

/** A job whose output is joined and verified under its temporary name. */
async function joined() {
  const work = await jobAtWork();
  const prepared = preparedWithoutVideo(work);
  const temporaryPath = halfOutputPath(work.home.id, prepared.outputPath, work.lease);
  writeFileSync(temporaryPath, 'the finished video');
  const output = joinedOutput(
    work.job,
    prepared,
    { streams: prepared.streams, framesReused: 0 },
    temporaryPath,
  );
  const publish = () => publishOutput(work.context, output);
  return {
    ...work,
    prepared,
    output,
    publish,
    temporaryPath,
    report: () => readReport(work.home, work.job.id),
  };
}

test('the verified file gets its final name, and its row says so', async () => {
  const { publish, prepared, stored } = await joined();
  const { outputPath } = prepared;
  expect(stored().publishedAtMs).toBeNull();
  const sha256 = createHash('sha256').update('the finished video').digest('hex');
  expect(await publish()).toEqual({ path: outputPath, sha256, sourceDamage: null });
  expect(readdirSync(dirname(outputPath))).toEqual(['clip.mp4']);
  expect(readFileSync(outputPath, 'utf8')).toBe('the finished video');
  expect(stored()).toMatchObject({ outputPath, state: 'running' });
  expect(stored().publishedAtMs).not.toBeNull();
});

test('an earlier output of the same job is replaced', async () => {
  const { publish, prepared, queue, job } = await joined();
  const earlier = 'the finished video of the first run';
  const sha256 = createHash('sha256').update(earlier).digest('hex');
  queue.outputs.addWritten(job, { sha256, bytes: earlier.length });
  writeFileSync(prepared.outputPath, earlier);
  await publish();
  expect(readdirSync(dirname(prepared.outputPath))).toEqual(['clip.mp4']);
  expect(readFileSync(prepared.outputPath, 'utf8')).toBe('the finished video');
});

test('any other file keeps its name, and the video gets the next one', async () => {
  const { publish, prepared, report, stored } = await joined();
  writeFileSync(prepared.outputPath, 'somebody else’s');
  const { path } = await publish();
  expect(path).toBe(prepared.outputPath.replace('.mp4', ' (2).mp4'));
  expect(readFileSync(prepared.outputPath, 'utf8')).toBe('somebody else’s');
  expect(readFileSync(path, 'utf8')).toBe('the finished video');
  expect(await report()).toMatchObject({ output: path });
  expect(stored().outputPath).toBe(path);
});

test('the report is written and its remarks are logged', async () => {
  const { publish, report, job, prepared, lines } = await joined();
  await publish();
  const { sourcePath, fingerprint, recipe } = job;
  expect(await report()).toMatchObject({
    ...{ source: sourcePath, fingerprint, recipe, output: prepared.outputPath, frames: 10 },
  });
  expect(lines.join('\n')).toContain('the source does not specify its colour matrix: treated as BT.601');
});

test('a worker that lost its lease publishes nothing and removes its temporary file', async () => {
  const { publish, loseLease, prepared, temporaryPath, report, stored } = await joined();
  writeFileSync(prepared.outputPath, 'the output of the next worker');
  loseLease();
  await expect(publish()).rejects.toThrow(LeaseLostError);
  expect(readFileSync(prepared.outputPath, 'utf8')).toBe('the output of the next worker');
  expect(existsSync(temporaryPath)).toBe(false);
  expect(await report()).toBeNull();
  expect(stored().publishedAtMs).toBeNull();
});

test('an output that cannot get its name leaves no temporary file and no report', async () => {
  const { context, prepared, output, temporaryPath, report, stored } = await joined();
  const outputPath = `${prepared.outputPath}/clip.mp4`;
  const publication = publishOutput(context, { ...output, outputPath });
  await expect(publication).rejects.toMatchObject({ code: 'ENOENT' });
  expect(existsSync(temporaryPath)).toBe(false);
  expect(await report()).toBeNull();
  expect(stored().publishedAtMs).toBeNull();
});

test('a stop before the output has its name leaves no temporary file', async () => {
  const { context, output, temporaryPath, stored } = await joined();
  const signal = AbortSignal.abort(new Error('stopped'));
  const publication = publishOutput({ ...context, signal }, output);
  await expect(publication).rejects.toMatchObject({ code: 'ABORT_ERR' });
  expect(existsSync(temporaryPath)).toBe(false);
  expect(stored().publishedAtMs).toBeNull();
});
