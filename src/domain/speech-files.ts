import { basename, dirname, extname, join, sep } from 'node:path';
import { InputRejectedError } from './errors.ts';

/** In the order of preference, each in lower case, upper case and with a capital. */
const EXTENSIONS = ['wav', 'mp3', 'm4a', 'flac'].flatMap((name) => [
  `.${name}`,
  `.${name.toUpperCase()}`,
  `.${name.charAt(0).toUpperCase()}${name.slice(1)}`,
]);
const FOLDER = 'lip-sync';

/**
 * Whether a file is the speech of a video, and no source itself.
 *
 * @param name path relative to the input folder
 */
export function isSpeech(name: string): boolean {
  return isInLipSyncFolder(name) && EXTENSIONS.includes(extname(name));
}

/**
 * Whether a video may be waiting for the speech that belongs to it.
 *
 * @param name path relative to the input folder
 */
export function isInLipSyncFolder(name: string): boolean {
  return dirname(name).split(sep).includes(FOLDER);
}

/** Paths of the audio files that would belong to a video, in the order of preference. */
export function speechPaths(video: string): string[] {
  const stem = join(dirname(video), basename(video, extname(video)));
  return EXTENSIONS.map((extension) => stem + extension);
}

/** The error of a video in a folder whose speech is outside of that folder. */
export function speechElsewhere(video: string, audio: string, folder: string): InputRejectedError {
  return new InputRejectedError(
    'BAD_RECIPE',
    `The speech of ${basename(video)} is outside of ${folder}; put ${basename(audio)} beside the video.`,
  );
}
