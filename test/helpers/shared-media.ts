import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../../../shared');

/** Why tests on real files made by others are skipped; null where the files are there. */
export const whyNoSharedMedia: string | null = existsSync(join(root, 'media/INDEX.md'))
  ? null
  : '../shared/media is not there';

/** A file of the shared media, such as `awkward/mb_edts.mp4`. */
export function sharedMedia(name: string): string {
  return join(root, 'media', name);
}

/** A folder or file of the shared models. */
export function sharedModels(name = ''): string {
  return join(root, 'models', name);
}
