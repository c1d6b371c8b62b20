import { lstat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve, sep } from 'node:path';
import { InputRejectedError } from '../domain/errors.ts';
import type { Recipe } from '../domain/recipe.ts';

const SPEECH_EXTENSIONS = ['.wav', '.mp3', '.m4a', '.flac'];
const FOLDER = 'lip-sync';

/** Whether a file in the input folder is the speech of a video, and no source itself. */
export function isSpeech(path: string): boolean {
  return isInLipSyncFolder(path) && SPEECH_EXTENSIONS.includes(extname(path).toLowerCase());
}

/** Whether a video may be waiting for the speech that belongs to it. */
export function isInLipSyncFolder(path: string): boolean {
  return dirname(path).split(sep).includes(FOLDER);
}

/** Paths of the audio files that would belong to a video, in the order of preference. */
export function speechPaths(video: string): string[] {
  const stem = join(dirname(video), basename(video, extname(video)));
  return SPEECH_EXTENSIONS.map((extension) => stem + extension);
}

/**
 * The recipe of a job for a video: that of a lip-sync job has the absolute path of its speech, which is named in the recipe or
 * beside the video.
 *
 * @throws InputRejectedError NO_AUDIO if there is none
 */
export async function withSpeech(recipe: Recipe, video: string): Promise<Recipe> {
  if (recipe.pipeline !== 'lip-sync') return recipe;
  const wanted = recipe.audio === undefined ? speechPaths(video) : [resolve(dirname(video), recipe.audio)];
  for (const audio of wanted) {
    const found = await lstat(audio).catch(() => null);
    if (found?.isFile() === true) return { ...recipe, audio };
  }
  const names = wanted.map((path) => basename(path)).join(', ');
  throw new InputRejectedError(
    'NO_AUDIO',
    `${basename(video)} has no speech: there is no ${names}; put an audio file beside the video or name one as audio in its recipe.`,
  );
}
