import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { extname } from 'node:path';
import { placeOf } from '../lib/byte-name.ts';
import { END_CHECKS, isTransportStream, type Bytes } from './container-formats.ts';

/** Why a file that does not change may still be incomplete. */
export interface Doubt {
  /** `CUT_OFF`: a part that the file announces is missing. `NO_END_MARK`: its format or its writer does not mark the end. */
  readonly code: 'CUT_OFF' | 'NO_END_MARK';
  /** Completes a sentence that starts with the name of the file. */
  readonly message: string;
}

/** Extensions of formats whose beginning says how the file ends; a file without such a beginning is left to the probe. */
const CLOSABLE = /\.(mp4|m4v|mov|3gp|3g2|mkv|webm|avi|divx|wmv|asf|gif|apng|ogg|ogv|ogm)$/i;
/** Bytes at the end of a file that are checked for zeros: allocated space that was never written reads as zeros. */
const TAIL_BYTES = 4096;
const BLOCK_BYTES = 512;

/**
 * Whether the container of a video is closed, judged by the sizes and end marks in the file itself; reads a few kilobytes.
 *
 * @returns null if the file ends where its container says, or if only the probe can tell
 */
export async function whyUnfinished(path: string): Promise<Doubt | null> {
  const file = await open(
    await placeOf(path),
    constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW,
  );
  try {
    const { size, blocks } = await file.stat();
    const read = async (at: number, length: number): Promise<Buffer> => {
      const buffer = Buffer.alloc(Math.max(0, Math.min(length, size - at)));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
      return buffer.subarray(0, bytesRead);
    };
    const unwritten = await whyUnwritten({ size, read }, blocks);
    return unwritten === null ? await whyOpen({ size, read }, path) : cutOff(unwritten);
  } finally {
    await file.close();
  }
}

/** Signs that a program has reserved the whole file before it copies it, as many downloaders do; null if there are none. */
async function whyUnwritten({ size, read }: Bytes, blocks: number): Promise<string | null> {
  // Some file systems report no blocks, and all of them round.
  if (blocks > 0 && blocks * BLOCK_BYTES + TAIL_BYTES < size)
    return 'takes up less disk space than its size, like a file with missing parts';
  const tail = await read(Math.max(0, size - TAIL_BYTES), TAIL_BYTES);
  const endsInZeros = tail.length === TAIL_BYTES && tail.every((byte) => byte === 0);
  return endsInZeros ? 'ends in zeros, like a file with missing parts' : null;
}

async function whyOpen(bytes: Bytes, path: string): Promise<Doubt | null> {
  const start = await bytes.read(0, 400);
  const format = END_CHECKS.find(({ matches }) => matches(start));
  if (format === undefined) {
    if (isTransportStream(start))
      return { code: 'NO_END_MARK', message: 'has no end mark, which is normal for transport streams' };
    if (CLOSABLE.test(path)) return null;
    const normal = extname(path) === '' ? '' : `, which is normal for ${extname(path).slice(1)} files`;
    return { code: 'NO_END_MARK', message: `has no end mark${normal}` };
  }
  const end = await format.check(bytes);
  if (end.kind === 'closed') return null;
  return end.kind === 'cut' ? cutOff(end.why) : { code: 'NO_END_MARK', message: end.why };
}

function cutOff(message: string): Doubt {
  return { code: 'CUT_OFF', message };
}
