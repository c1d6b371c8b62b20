import { lstat, realpath } from 'node:fs/promises';
import { basename, dirname, extname, resolve } from 'node:path';
import { contains } from '../config/home.ts';
import { InputRejectedError } from '../domain/errors.ts';
import type { Recipe } from '../domain/recipe.ts';
import { speechPaths } from '../domain/speech-files.ts';

/**
 * The recipe of a job for a video: that of a lip-sync job has the absolute path of its speech, which is named in the recipe or
 * beside the video.
 *
 * @param onlyIn folder in which the speech has to be; absent for a video that a user of this machine names, who may read any file
 * @throws InputRejectedError NO_AUDIO if there is none, BAD_RECIPE if it is somewhere else
 */
export async function withSpeech(recipe: Recipe, video: string, onlyIn?: string): Promise<Recipe> {
  if (recipe.pipeline !== 'lip-sync' || recipe.streamed === true) return recipe;
  const wanted = recipe.audio === undefined ? speechPaths(video) : [resolve(dirname(video), recipe.audio)];
  for (const audio of wanted) {
    const found = await lstat(audio).catch(() => null);
    if (found?.isFile() !== true) continue;
    if (onlyIn !== undefined && !contains(await realpath(onlyIn), await realpath(audio)))
      throw new InputRejectedError(
        'BAD_RECIPE',
        `The speech of ${basename(video)} is outside of ${onlyIn}; put ${basename(audio)} beside the video.`,
      );
    return { ...recipe, audio };
  }
  const name = basename(video);
  throw new InputRejectedError(
    'NO_AUDIO',
    recipe.audio === undefined
      ? `${name} has no speech; put ${basename(name, extname(name))}.wav (or .mp3, .m4a, .flac) beside the video, or name an audio file as audio in its recipe.`
      : `${name} has no speech: there is no audio file ${recipe.audio}; correct the key audio of its recipe.`,
  );
}
