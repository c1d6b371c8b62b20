import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Place } from './byte-name.ts';
import { openRegularFile } from './open-regular-file.ts';

/** Computes the SHA-256 of a file in hexadecimal. Reads 1 MiB at a time, so that the event loop is not blocked for long. */
export async function sha256File(path: Place, signal?: AbortSignal): Promise<string> {
  return sha256Of(createReadStream(path, options(signal)));
}

/** Like `sha256File`, but follows no link and does not wait for a pipe; null if the file is not a regular one. */
export async function sha256RegularFile(path: string, signal?: AbortSignal): Promise<string | null> {
  const file = await openRegularFile(path);
  if (file === null) return null;
  try {
    return await sha256Of(file.createReadStream({ ...options(signal), autoClose: false }));
  } finally {
    await file.close();
  }
}

function options(signal: AbortSignal | undefined): { highWaterMark: number; signal?: AbortSignal } {
  return { highWaterMark: 1024 * 1024, ...(signal && { signal }) };
}

async function sha256Of(chunks: AsyncIterable<unknown>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of chunks) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
