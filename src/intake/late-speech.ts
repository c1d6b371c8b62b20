import type { SeenFile } from '../domain/seen-file.ts';
import { recipeForFile, type RecipeRules } from './recipe-for-file.ts';
import { withSpeech } from './speech-beside.ts';

/**
 * Which of the rejected videos that had no speech have one now. A speech beside its video, or one that a sidecar file names, is
 * part of the video's signature; one that the recipe of a folder names is not.
 */
export async function withLateSpeech(seen: readonly SeenFile[], rules: RecipeRules): Promise<SeenFile[]> {
  const silent = seen.filter(({ state, code }) => state === 'rejected' && code === 'NO_AUDIO');
  const found = await Promise.all(silent.map(({ path }) => hasSpeech(path, rules)));
  return silent.filter((_, i) => found[i]);
}

/** A video whose recipe or speech cannot be used stays rejected. */
async function hasSpeech(path: string, rules: RecipeRules): Promise<boolean> {
  try {
    const { recipe } = await recipeForFile(path, rules);
    await withSpeech(recipe, path, rules.inputDir);
    return true;
  } catch {
    return false;
  }
}
