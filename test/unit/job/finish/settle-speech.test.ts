import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { PIPELINE_DEFAULTS } from '../../../../src/config/recipe-presets.ts';
import { SAFE_DEFAULTS } from '../../../../src/config/settings.ts';
import { fingerprintOf } from '../../../../src/domain/fingerprint.ts';
import { sha256File } from '../../../../src/lib/sha256-file.ts';
import { settleSource } from '../../../../src/job/finish/settle-source.ts';
import { newJob } from '../../queue/queue-fixture.ts';
import { jobAtWork } from '../job-fixture.ts';

/** A published lip-sync job of clip.mp4, whose speech has this name. */
async function published(source: 'keep' | 'move' | 'delete', name = 'clip.wav') {
  const work = await jobAtWork({ settings: { output: { ...SAFE_DEFAULTS.output, source } } });
  const { sourcePath, outputPath } = work.job;
  const audio = join(work.home.input, name);
  writeFileSync(audio, 'the speech');
  writeFileSync(outputPath, 'the finished video');
  const recipe = { ...PIPELINE_DEFAULTS['lip-sync'], audio };
  const job = { ...work.job, recipe, fingerprint: await fingerprintOf(sourcePath, recipe) };
  const output = { path: outputPath, sha256: await sha256File(outputPath), sourceDamage: null };
  const settle = (publishedAtMs: number | null = null) =>
    settleSource({ ...work.context, job: { ...job, publishedAtMs } }, output);
  const finished = join(work.home.root, 'finished', name);
  const textOf = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : null);
  const places = () => [existsSync(sourcePath), textOf(audio), textOf(finished)];
  return { ...work, audio, settle, places };
}

test.each([
  ['keep', [true, 'the speech', null]],
  ['move', [false, null, 'the speech']],
  ['delete', [false, null, null]],
] as const)(
  'the speech beside a video goes where the video goes: output.source %s',
  async (setting, expected) => {
    const { settle, places, lines } = await published(setting);
    await settle();
    expect(places()).toEqual(expected);
    expect(lines).toEqual([]);
  },
);

test.each([
  ['that the recipe names', 'hello.wav', null],
  ['of another video too', 'clip.wav', 'clip.mov'],
])('a speech %s stays', async (_, name, other) => {
  const { settle, places, home } = await published('delete', name);
  if (other !== null) writeFileSync(join(home.input, other), 'another video');
  await settle();
  expect(places()).toEqual([false, 'the speech', null]);
});

test('a speech stays while another job may need it', async () => {
  const { settle, places, queue, audio } = await published('delete');
  queue.jobs.enqueue(newJob({ recipe: { ...PIPELINE_DEFAULTS['lip-sync'], audio } }));
  await settle();
  expect(places()).toEqual([false, 'the speech', null]);
});

test('nothing is deleted while a process still writes the speech', async () => {
  const { settle, places, audio, lines } = await published('delete');
  const file = openSync(audio, 'a');
  onTestFinished(() => closeSync(file));
  await settle();
  expect(places()).toEqual([true, 'the speech', null]);
  expect(lines).toEqual([`the source is kept: process ${process.pid} has clip.wav open for writing`]);
});

test('a speech that a worker left behind when it died goes too, but not one that came later', async () => {
  const { settle, places, job } = await published('move');
  rmSync(job.sourcePath);
  await settle(Date.now() - 60_000);
  expect(places()).toEqual([false, 'the speech', null]);
  await settle(Date.now() + 60_000);
  expect(places()).toEqual([false, null, 'the speech']);
});

test('neither is touched if the speech was changed after it was read', async () => {
  const { settle, places, audio, lines } = await published('delete');
  writeFileSync(audio, 'another speech');
  await settle();
  expect(places()).toEqual([true, 'another speech', null]);
  expect(lines).toEqual([
    'the source is kept: clip.mp4 or its speech clip.wav was changed or replaced after it was queued',
  ]);
});
