import { basename, dirname, extname, resolve } from 'node:path';
import { InputRejectedError } from '../domain/errors.ts';
import type { Recipe } from '../domain/recipe.ts';
import { speechElsewhere, speechPaths } from '../domain/speech-files.ts';
import { isMissingFile } from '../lib/file-errors.ts';
import { isInside, openRegularFile } from '../lib/open-regular-file.ts';

/**
 * The recipe of a job for a video: that of a lip-sync job has the absolute path of its speech, which is named in the recipe or
 * beside the video. The job checks again that it is in the folder, on the file that it reads.
 *
 * @param onlyIn folder in which the speech has to be; absent for a video that a user of this machine names, who may read any file
 * @throws InputRejectedError NO_AUDIO if there is none, BAD_RECIPE if it is somewhere else
 */
export async function withSpeech(recipe: Recipe, video: string, onlyIn?: string): Promise<Recipe> {
  if (recipe.pipeline !== 'lip-sync' || recipe.streamed === true) return recipe;
  const wanted = recipe.audio === undefined ? speechPaths(video) : [resolve(dirname(video), recipe.audio)];
  for (const audio of wanted) {
    const place = await placeOfSpeech(audio, onlyIn);
    if (place === 'elsewhere') throw speechElsewhere(video, audio, onlyIn ?? '');
    if (place === 'there') return { ...recipe, audio };
  }
  const name = basename(video);
  throw new InputRejectedError(
    'NO_AUDIO',
    recipe.audio === undefined
      ? `${name} has no speech; put ${basename(name, extname(name))}.wav (or .mp3, .m4a, .flac) beside the video, or name an audio file as audio in its recipe.`
      : `${name} has no speech: there is no audio file ${recipe.audio.replaceAll('\0', '\\0')}; put it there, or correct the key audio of its recipe.`,
  );
}

async function placeOfSpeech(
  audio: string,
  onlyIn: string | undefined,
): Promise<'there' | 'elsewhere' | 'nowhere'> {
  // A name that no file can have.
  if (audio.includes('\0')) return 'nowhere';
  const file = await openRegularFile(audio).catch((error: unknown) => {
    if (isMissingFile(error)) return null;
    throw error;
  });
  if (file === null) return 'nowhere';
  try {
    return onlyIn === undefined || (await isInside(file, onlyIn)) ? 'there' : 'elsewhere';
  } finally {
    await file.close();
  }
}
