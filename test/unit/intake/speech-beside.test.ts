import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { PIPELINE_DEFAULTS } from '../../../src/config/recipe-presets.ts';
import { findFiles, signatureOf } from '../../../src/intake/find-files.ts';
import { withSpeech } from '../../../src/intake/speech-beside.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const RECIPE = PIPELINE_DEFAULTS['lip-sync'];

/** An input folder with these files, whose contents are their names. */
function inputWith(names: readonly string[], input = temporaryFolder()): string {
  for (const name of names) {
    mkdirSync(join(input, name, '..'), { recursive: true });
    writeFileSync(join(input, name), name);
  }
  return input;
}

async function namesIn(input: string): Promise<string[]> {
  return (await findFiles(input)).files.map(({ path }) => relative(input, path));
}

test.each(['anna.wav', 'anna.WAV', 'anna.Mp3', 'anna.M4A', 'anna.flac'])(
  '%s is the speech of anna.mp4, and no source',
  async (name) => {
    const input = inputWith(['lip-sync/anna.mp4', `lip-sync/${name}`]);
    const video = join(input, 'lip-sync/anna.mp4');
    expect(await namesIn(input)).toEqual(['lip-sync/anna.mp4']);
    expect(await withSpeech(RECIPE, video, input)).toMatchObject({ audio: join(input, 'lip-sync', name) });
    const before = await signatureOf(video, input);
    writeFileSync(join(input, 'lip-sync', name), 'another speech');
    expect(await signatureOf(video, input)).not.toBe(before);
  },
);

test('a folder called lip-sync above the input folder hides no audio file', async () => {
  const input = inputWith(['song.wav', 'lip-sync/anna.wav'], join(temporaryFolder(), 'lip-sync/home/input'));
  expect(await namesIn(input)).toEqual(['song.wav']);
});

test('a video without a speech is rejected, and the message names the files that would do', async () => {
  const input = inputWith(['lip-sync/anna.mp4']);
  const video = join(input, 'lip-sync/anna.mp4');
  await expect(withSpeech(RECIPE, video)).rejects.toMatchObject({
    code: 'NO_AUDIO',
    message:
      'anna.mp4 has no speech; put anna.wav (or .mp3, .m4a, .flac) beside the video, or name an audio file as audio in its recipe.',
  });
  await expect(withSpeech({ ...RECIPE, audio: 'words.wav' }, video)).rejects.toMatchObject({
    code: 'NO_AUDIO',
    message:
      'anna.mp4 has no speech: there is no audio file words.wav; put it there, or correct the key audio of its recipe.',
  });
});

test('a speech whose name contains NUL is missing, not an error of the program', async () => {
  const video = join(inputWith(['lip-sync/anna.mp4']), 'lip-sync/anna.mp4');
  await expect(withSpeech({ ...RECIPE, audio: 'a\0b.wav' }, video)).rejects.toMatchObject({
    code: 'NO_AUDIO',
    message:
      'anna.mp4 has no speech: there is no audio file a\\0b.wav; put it there, or correct the key audio of its recipe.',
  });
});

test('a recipe in input/ cannot name a speech elsewhere, not even through a linked folder', async () => {
  const input = inputWith(['lip-sync/anna.mp4', 'lip-sync/common/hello.wav']);
  const elsewhere = inputWith(['private.wav']);
  const video = join(input, 'lip-sync/anna.mp4');
  symlinkSync(elsewhere, join(input, 'lip-sync/linked'));
  const spoken = (audio: string, onlyIn?: string) => withSpeech({ ...RECIPE, audio }, video, onlyIn);
  for (const audio of [join(elsewhere, 'private.wav'), 'linked/private.wav'])
    await expect(spoken(audio, input)).rejects.toMatchObject({ code: 'BAD_RECIPE' });
  expect(await spoken('common/hello.wav', input)).toMatchObject({
    audio: join(input, 'lip-sync/common/hello.wav'),
  });
  expect(await spoken(join(elsewhere, 'private.wav'))).toMatchObject({
    audio: join(elsewhere, 'private.wav'),
  });
});
