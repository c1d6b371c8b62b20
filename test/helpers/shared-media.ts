import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../../../shared');

/** Why tests with real media files are skipped; null when the files are present. */
export const whyNoSharedMedia: string | null = existsSync(join(root, 'media/INDEX.md'))
  ? null
  : '../shared/media is missing';

/** Path of a file of the shared media, such as `awkward/mb_edts.mp4`. */
export function sharedMedia(name: string): string {
  return join(root, 'media', name);
}

/** Path of a file of the shared models, or of their folder. */
export function sharedModels(name = ''): string {
  return join(root, 'models', name);
}
