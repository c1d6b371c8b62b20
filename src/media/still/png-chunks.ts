import { crc32, deflateSync } from 'node:zlib';

/** Metadata that belongs to an image as a whole. */
export interface ImageMetadata {
  /** ICC profile, or null. */
  readonly icc: Buffer | null;
  /** EXIF block, with or without its `Exif` prefix, or null. */
  readonly exif: Buffer | null;
}

const SIGNATURE_AND_HEADER_BYTES = 8 + 25;
const EXIF_PREFIX = Buffer.from('Exif\0\0', 'latin1');

/**
 * Adds a profile and EXIF to a PNG without changing its pixels. sharp can only convert the pixels to a profile, or keep
 * the one of the file that it reads.
 *
 * Source of the chunk formats: PNG specification, third edition, sections 11.3.2.3 (iCCP) and 11.3.4.7 (eXIf).
 */
export function withPngMetadata(png: Buffer, { icc, exif }: ImageMetadata): Buffer {
  const chunks = [];
  if (icc !== null)
    chunks.push(chunk('iCCP', Buffer.concat([Buffer.from('icc\0\0', 'latin1'), deflateSync(icc)])));
  if (exif !== null) chunks.push(chunk('eXIf', exif.indexOf(EXIF_PREFIX) === 0 ? exif.subarray(6) : exif));
  const rest = withoutColourChunks(png.subarray(SIGNATURE_AND_HEADER_BYTES));
  return Buffer.concat([png.subarray(0, SIGNATURE_AND_HEADER_BYTES), ...chunks, ...rest]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const bytes = Buffer.alloc(body.length + 8);
  bytes.writeUInt32BE(data.length, 0);
  body.copy(bytes, 4);
  bytes.writeUInt32BE(crc32(body), body.length + 4);
  return bytes;
}

/** The chunks after the header, without those that a profile or EXIF replaces. */
function withoutColourChunks(chunks: Buffer): Buffer[] {
  const kept = [];
  for (let at = 0; at < chunks.length;) {
    const end = at + 12 + chunks.readUInt32BE(at);
    if (!['iCCP', 'sRGB', 'eXIf'].includes(chunks.toString('latin1', at + 4, at + 8)))
      kept.push(chunks.subarray(at, end));
    at = end;
  }
  return kept;
}
