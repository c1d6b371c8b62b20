import { open } from 'node:fs/promises';
import { VerificationError } from '../../domain/errors.ts';

/** A top-level box of an MP4 file (ISO/IEC 14496-12, 4.2). */
export interface Box {
  readonly type: string;
  readonly offset: number;
  readonly bytes: number;
}

/**
 * Lists the top-level boxes of a file.
 *
 * @throws VerificationError if the file is truncated or a box is invalid
 */
export async function listBoxes(path: string): Promise<Box[]> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const header = Buffer.alloc(16);
    const boxes: Box[] = [];
    for (let offset = 0; offset < size;) {
      const { bytesRead } = await file.read(header, 0, 16, offset);
      const small = bytesRead >= 8 ? header.readUInt32BE(0) : 0;
      const bytes = small === 1 && bytesRead === 16 ? Number(header.readBigUInt64BE(8)) : small;
      if (bytes < 8 || offset + bytes > size)
        throw new VerificationError(`${path} has an incomplete or invalid box at byte ${offset}.`);
      boxes.push({ type: header.toString('latin1', 4, 8), offset, bytes });
      offset += bytes;
    }
    return boxes;
  } finally {
    await file.close();
  }
}

/** Byte ranges that join segments into one stream: the header of the first segment and the fragments of all. */
export async function* joinedRanges(
  segmentPaths: readonly string[],
): AsyncGenerator<{ path: string; start: number; end: number }> {
  for (const [number, path] of segmentPaths.entries()) {
    for (const box of await listBoxes(path)) {
      const wanted =
        box.type === 'moof' ||
        box.type === 'mdat' ||
        (number === 0 && (box.type === 'ftyp' || box.type === 'moov'));
      if (wanted) yield { path, start: box.offset, end: box.offset + box.bytes - 1 };
    }
  }
}
