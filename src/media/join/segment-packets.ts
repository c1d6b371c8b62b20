import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { VerificationError } from '../../domain/errors.ts';
import { parseFragment } from '../encode/fragment.ts';
import { listBoxes, type Box } from '../encode/segment-boxes.ts';

/** Hash of packets, as Node names it and as ffprobe does. It finds damage, so it need not resist an attacker. */
export const PACKET_HASH = { node: 'sha1', ffprobe: 'SHA160' } as const;

/** A packet of a segment. */
export interface SegmentPacket {
  /** In hexadecimal. */
  readonly hash: string;
  /** When its frame is shown, in ticks of the track. */
  readonly pts: number;
}

/** The packets of a segment in coded order, read without ffmpeg. */
export async function segmentPackets(path: string): Promise<SegmentPacket[]> {
  const packets: SegmentPacket[] = [];
  let moof: Box | null = null;
  const boxes = await listBoxes(path);
  const file = await open(path, 'r');
  try {
    const read = async (position: number, length: number): Promise<Buffer> => {
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, position);
      if (bytesRead < length) throw new VerificationError(`${path} ends before byte ${position + length}.`);
      return buffer;
    };
    for (const box of boxes) {
      if (box.type === 'moof') moof = box;
      if (box.type !== 'mdat' || moof === null) continue;
      const { samples, decodeTime } = parseFragment(await read(moof.offset, moof.bytes));
      let dts = decodeTime;
      // The samples are the end of the box, whose header has one of two lengths.
      let position = box.offset + box.bytes - samples.reduce((sum, { bytes }) => sum + bytes, 0);
      for (const { bytes, duration, offset } of samples) {
        const content = await read(position, bytes);
        packets.push({ hash: createHash(PACKET_HASH.node).update(content).digest('hex'), pts: dts + offset });
        dts += duration;
        position += bytes;
      }
    }
    return packets;
  } finally {
    await file.close();
  }
}
