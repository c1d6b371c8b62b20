import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder, and those above it that are missing, so that a power cut does not take them back with everything in
 * them: a new folder's name is durable when the folder above it was synced. Blocks for a few fsyncs.
 */
export function makeFolder(path: string): void {
  const first = mkdirSync(path, { recursive: true }) ?? path;
  for (let made = path; made.length >= first.length; made = dirname(made)) {
    const parent = openSync(dirname(made), 'r');
    try {
      fsyncSync(parent);
    } finally {
      closeSync(parent);
    }
  }
}
