import { appendFileSync, closeSync, openSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { setUpIntake } from '../../helpers/intake.ts';

/* Videos of lip-sync jobs, which are queued only with their speech. */

test.each([
  ['is beside the video', 'lip-sync/anna.mp4', null, 'lip-sync/anna.wav'],
  ['the recipe of a folder names', 'greetings/lip-sync/anna.mp4', null, 'greetings/lip-sync/hello.wav'],
  [
    'a sidecar file names, outside of the folder lip-sync',
    'anna.mp4',
    '{ pipeline: lip-sync, audio: lip-sync/hello.wav }',
    'lip-sync/hello.wav',
  ],
])('a video waits until nobody writes a speech any more that %s', async (_, video, sidecar, audio) => {
  const { put, settle, clock, intake, jobs, said, queue } = setUpIntake();
  put(video, 'video');
  if (sidecar !== null) put(`${video}.recipe.yaml`, sidecar);
  // It does not grow.
  const speech = openSync(put(audio, 'half a speech'), 'a');
  await settle();
  expect(jobs()).toEqual([]);
  const waiting = said.filter((line) => line.includes('waiting: '));
  expect(waiting).toHaveLength(1);
  expect(waiting[0]?.replace(/process \d+ \(.*\)/, 'a process')).toBe(
    `${video} waiting: a process has ${basename(audio)} open for writing`,
  );
  expect(queue.seenFiles.list()).toMatchObject([{ state: 'settling', code: 'OPEN_FOR_WRITING' }]);
  closeSync(speech);
  clock.ms += 5000;
  await intake.scan();
  expect(jobs()).toHaveLength(1);
});

test('a speech that a recipe names is noticed whenever it comes, and settles like a video', async () => {
  const { inputDir, put, settle, clock, intake, jobs, queue } = setUpIntake();
  put('lip-sync/anna.mp4', 'video');
  put('lip-sync/anna.mp4.recipe.yaml', 'audio: common/hello.wav');
  await settle();
  const why =
    'anna.mp4 has no speech: there is no audio file common/hello.wav; put it there, or correct the key audio of its recipe.';
  expect(queue.seenFiles.list()).toMatchObject([{ state: 'settling', code: 'NO_AUDIO', message: why }]);
  clock.ms += 60_000;
  await intake.scan();
  expect(queue.seenFiles.list()).toMatchObject([{ state: 'rejected', code: 'NO_AUDIO', message: why }]);

  const speech = put('lip-sync/common/hello.wav', 'half');
  await intake.scan();
  clock.ms += 4000;
  appendFileSync(speech, ' a speech');
  await intake.scan();
  clock.ms += 4000;
  await intake.scan();
  expect(jobs()).toEqual([]);
  clock.ms += 1000;
  await intake.scan();
  expect(jobs().map(({ recipe }) => recipe)).toMatchObject([
    { pipeline: 'lip-sync', audio: join(inputDir, 'lip-sync/common/hello.wav') },
  ]);
  // Another speech makes another video.
  writeFileSync(speech, 'another speech');
  await settle();
  expect(jobs()).toHaveLength(2);
});

test('a speech that the recipe of a folder names is noticed whenever it comes', async () => {
  const { put, settle, clock, intake, jobs, queue } = setUpIntake();
  put('greetings/lip-sync/anna.mp4', 'video');
  await settle();
  clock.ms += 60_000;
  await intake.scan();
  expect(queue.seenFiles.list()).toMatchObject([{ state: 'rejected', code: 'NO_AUDIO' }]);
  const audio = put('greetings/lip-sync/hello.wav', 'a speech');
  await settle();
  expect(jobs().map(({ recipe }) => recipe)).toMatchObject([{ pipeline: 'lip-sync', audio }]);
});

test('a video is not taken with a speech that changes while it is read', async () => {
  let changes = 1;
  const { put, settle, intake, clock, jobs } = setUpIntake(undefined, () => {
    if (changes-- > 0) put('greetings/lip-sync/hello.wav', 'another speech');
  });
  put('greetings/lip-sync/anna.mp4', 'video');
  put('greetings/lip-sync/hello.wav', 'a speech');
  await settle();
  expect(jobs()).toEqual([]);
  clock.ms += 5000;
  await intake.scan();
  expect(jobs()).toHaveLength(1);
});

test.each([
  ['a file elsewhere', 'audio: /etc/hostname'],
  ['a way out of the input folder', 'audio: ../../../etc/hostname'],
  ['a name that is too long', `audio: ${'x'.repeat(5000)}.wav`],
  ['a name that no file can have', 'audio: "a\\0b.wav"'],
  ['a list', 'audio: [1]'],
  ['nothing, as it is no YAML', '{'],
])('the scan goes on whatever a recipe names as its speech: %s', async (_, sidecar) => {
  const { put, settle, jobs } = setUpIntake();
  put('lip-sync/anna.mp4', 'video');
  put('lip-sync/anna.mp4.recipe.yaml', sidecar);
  put('other.mp4', 'another video');
  await settle();
  expect(jobs()).toHaveLength(1);
});
