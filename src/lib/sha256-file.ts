import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Place } from './byte-name.ts';

/** Computes the SHA-256 of a file in hexadecimal. Reads 1 MiB at a time, so that the event loop is not blocked for long. */
export async function sha256File(path: Place, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, {
    highWaterMark: 1024 * 1024,
    ...(signal && { signal }),
  })) {
    hash.update(chunk as Buffer);
  }
  return hash.digest('hex');
}
