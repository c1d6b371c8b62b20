import { open, truncate } from 'node:fs/promises';
import { codeOf } from '../../domain/errors.ts';
import { failPoint } from '../../lib/fail-point.ts';
import type { FrameDecoder } from '../../media/decode/decoder.ts';

/**
 * Writes the decoder's next frames to a file.
 *
 * @param moveOn moves the file to where there is room when others have taken it, and tells where; null: there is none
 * @returns where the frames lie
 */
export async function decodeToFile(
  decoder: Pick<FrameDecoder, 'read'>,
  frameCount: number,
  path: string,
  frame: Buffer,
  moveOn: () => Promise<string | null>,
): Promise<string> {
  failPoint('decoded-frames.before-write');
  let place = path;
  let file = await open(place, 'w');
  try {
    for (let i = 0; i < frameCount; i++) {
      await decoder.read(frame);
      try {
        // Not `write`, which may write less than all of it when the RAM disk is nearly full.
        await file.appendFile(frame);
      } catch (error) {
        const moved = codeOf(error) === 'ENOSPC' ? await moveOn() : null;
        if (moved === null) throw error;
        place = moved;
        await file.close();
        // Part of this frame may have found room.
        await truncate(place, i * frame.length);
        file = await open(place, 'a');
        await file.appendFile(frame);
      }
    }
    failPoint('decoded-frames.written');
    return place;
  } catch (error) {
    // Part of a batch is worth nothing: the next try must not take it for whole.
    await truncate(place);
    throw error;
  } finally {
    await file.close();
  }
}
