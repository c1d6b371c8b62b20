import { lstat } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { contains } from '../config/home.ts';
import { isInLipSyncFolder, speechPaths } from '../domain/speech-files.ts';
import { sidecarOf } from './candidate-file.ts';
import { parseYaml, readSidecar } from './sidecar.ts';

/**
 * The path of the speech that a video in a folder of lip-sync jobs waits for or has: the one that its sidecar file names as
 * `audio`, or else the one beside it. It is watched like the video itself. What is named outside of the input folder is
 * rejected later and not looked at.
 *
 * @param video absolute path
 * @param root the input folder
 * @returns null if there is no such file, or if the file has to be elsewhere
 */
export async function speechPathOf(video: string, root: string): Promise<string | null> {
  if (!isInLipSyncFolder(relative(root, video))) return null;
  const named = await namedSpeech(video);
  const candidates = named === null ? speechPaths(video) : contains(root, named) ? [named] : [];
  for (const path of candidates) if (await isRegular(path)) return path;
  return null;
}

/** What else is in the sidecar, and whether it can be used at all, is judged when the video is taken. */
async function namedSpeech(video: string): Promise<string | null> {
  try {
    const sidecar = await readSidecar(sidecarOf(video));
    if (typeof sidecar === 'string') return null;
    const recipe = parseYaml(sidecar);
    const audio = typeof recipe === 'object' && recipe !== null && 'audio' in recipe ? recipe.audio : null;
    return typeof audio === 'string' ? resolve(dirname(video), audio) : null;
  } catch {
    return null;
  }
}

/** Any error means that it is not there: a name from a sidecar may be too long, or no name at all. */
async function isRegular(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null))?.isFile() === true;
}
