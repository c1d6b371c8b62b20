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
