import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { parse } from 'yaml';
import { codeOf } from '../domain/errors.ts';
import type { Place } from '../lib/byte-name.ts';
import { isMissingFile } from '../lib/file-errors.ts';

/** Size limit of a sidecar file; a recipe needs a few hundred bytes. */
export const MAX_SIDECAR_BYTES = 64 * 1024;
/** Limit of YAML aliases, which can make a small file huge when it is expanded; a recipe needs none. */
const MAX_ALIASES = 10;

/** Reads a sidecar file if it is a regular file: a pipe would block, and a link may lead anywhere. */
export async function readSidecar(place: Place): Promise<Buffer | 'missing' | 'irregular' | 'large'> {
  let file: FileHandle;
  try {
    file = await open(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (isMissingFile(error)) return 'missing';
    if (['ELOOP', 'ENXIO'].includes(codeOf(error))) return 'irregular'; // A link; a socket.
    throw error;
  }
  try {
    const stats = await file.stat();
    if (!stats.isFile()) return 'irregular';
    if (stats.size > MAX_SIDECAR_BYTES) return 'large';
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_SIDECAR_BYTES), 0, MAX_SIDECAR_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** @throws an error of the YAML parser, or of the decoder if it is not valid UTF-8 */
export function parseYaml(bytes: Buffer): unknown {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  return parse(text, { maxAliasCount: MAX_ALIASES, logLevel: 'error' });
}
