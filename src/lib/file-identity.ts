import { statSync } from 'node:fs';
import { isMissingFile } from './file-errors.ts';

/** Identifies the file that a path leads to, whatever its contents; null if there is none. */
export function fileIdentity(path: string): string | null {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch (error) {
    if (isMissingFile(error)) return null;
    throw error;
  }
}
