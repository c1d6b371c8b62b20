import type { NalCodec } from '../encode/encoder-arguments.ts';
import { escapeNalUnit, unescapeNalUnit } from './nal-units.ts';

/** SEI message `user_data_registered_itu_t_t35` (ITU-T H.264, D.1.6; the same in H.265). */
const REGISTERED_USER_DATA = 4;
/** Country code, provider code, identifier and type of captions in such a message (ATSC A/72, 6.4). */
const CAPTION_HEADER = Buffer.from([0xb5, 0x00, 0x31, ...Buffer.from('GA94'), 0x03]);
/** Flags beside the number of triplets: one reserved bit, and "process these captions". */
const CAPTION_FLAGS = 0xc0;
const MARKER = 0xff;
/** A message counts its triplets with five bits. */
const MOST_BYTES_PER_MESSAGE = 31 * 3;

/** The header of a NAL unit that contains SEI messages; for H.265 a prefix SEI. */
const SEI_HEADER: Readonly<Record<NalCodec, Buffer>> = {
  h264: Buffer.from([0x06]),
  hevc: Buffer.from([0x4e, 0x01]),
};

/** Builds a NAL unit with the captions of a frame, without start code or length. */
export function captionSei(codec: NalCodec, payload: Buffer): Buffer {
  const messages: Buffer[] = [];
  for (let at = 0; at < payload.length; at += MOST_BYTES_PER_MESSAGE) {
    const triplets = payload.subarray(at, at + MOST_BYTES_PER_MESSAGE);
    const flags = CAPTION_FLAGS | (triplets.length / 3);
    const parts = [CAPTION_HEADER, Buffer.from([flags, MARKER]), triplets, Buffer.from([MARKER])];
    const size = parts.reduce((sum, { length }) => sum + length, 0);
    messages.push(Buffer.from([REGISTERED_USER_DATA, size]), ...parts);
  }
  return Buffer.concat([SEI_HEADER[codec], escapeNalUnit(Buffer.concat([...messages, Buffer.from([0x80])]))]);
}

/** The captions in a NAL unit that libx264 wrote; null if it contains none. */
export function parseCaptionSei(unit: Buffer): Buffer | null {
  if (((unit[0] ?? 0) & 0x1f) !== 6) return null;
  const bytes = unescapeNalUnit(unit.subarray(1));
  if (bytes[0] !== REGISTERED_USER_DATA) return null;
  let at = 1;
  let size = 0;
  // A size is the sum of its bytes, of which all but the last are 255.
  for (; bytes[at] === 0xff; at++) size += 0xff;
  size += bytes[at++] ?? 0;
  const message = bytes.subarray(at, at + size);
  if (!message.subarray(0, CAPTION_HEADER.length).equals(CAPTION_HEADER)) return null;
  // libx264 writes all triplets, even if their number does not fit into the five bits.
  return message.subarray(CAPTION_HEADER.length + 2, -1);
}

/** Whether a NAL unit contains a part of the image, to which the SEI messages before it belong. */
export function isSlice(codec: NalCodec, firstByte: number): boolean {
  if (codec === 'hevc') return ((firstByte >> 1) & 0x3f) < 32;
  const type = firstByte & 0x1f;
  return type >= 1 && type <= 5;
}
