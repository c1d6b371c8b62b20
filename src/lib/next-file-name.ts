import { dirname, join, parse } from 'node:path';

/** The longest file name of Linux file systems, in bytes. */
export const LONGEST_FILE_NAME_BYTES = 255;

/**
 * The next name to try when a name is taken: `clip (2).mp4` after `clip.mp4`, and `clip (3).mp4` after that. A year in
 * brackets is not such a number.
 */
export function nextFileName(path: string): string {
  const { name, ext } = parse(path);
  const [, stem = name, number = '1'] = /^(.*) \((\d{1,3})\)$/s.exec(name) ?? [];
  const end = ` (${Number(number) + 1})${ext}`;
  return join(dirname(path), shortened(stem, LONGEST_FILE_NAME_BYTES - Buffer.byteLength(end)) + end);
}

/** The longest beginning of a text, in whole characters, that has at most this many bytes. */
function shortened(text: string, bytes: number): string {
  const characters = Array.from(text);
  while (Buffer.byteLength(characters.join('')) > bytes) characters.pop();
  return characters.join('');
}
