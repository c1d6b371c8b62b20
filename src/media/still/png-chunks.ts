import { crc32, deflateSync } from 'node:zlib';

/** Metadata that belongs to an image as a whole. */
export interface ImageMetadata {
  /** ICC profile, or null. */
  readonly icc: Buffer | null;
  /** EXIF block, with or without its `Exif` prefix, or null. */
  readonly exif: Buffer | null;
  /** Chunks of a PNG that say what its colours mean, such as those of HDR. */
  readonly colorChunks: readonly Buffer[];
}

const SIGNATURE_AND_HEADER_BYTES = 8 + 25;
const EXIF_PREFIX = Buffer.from('Exif\0\0', 'latin1');

/**
 * Adds a profile and EXIF to a PNG without changing its pixels. sharp can only convert the pixels to a profile, or keep
 * the one of the file that it reads.
 *
 * Source of the chunk formats: PNG specification, third edition, sections 11.3.2.3 (iCCP) and 11.3.4.7 (eXIf).
 */
export function withPngMetadata(png: Buffer, { icc, exif, colorChunks }: ImageMetadata): Buffer {
  const chunks = [...colorChunks];
  if (icc !== null)
    chunks.push(chunk('iCCP', Buffer.concat([Buffer.from('icc\0\0', 'latin1'), deflateSync(icc)])));
  if (exif !== null) chunks.push(chunk('eXIf', exif.indexOf(EXIF_PREFIX) === 0 ? exif.subarray(6) : exif));
  const rest = withoutColourChunks(png);
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

/** The chunks of a PNG that say what its colours mean, without its profile; the names of two of them have changed. */
export function colorChunksOf(png: Buffer): Buffer[] {
  const meaning = /^(cICP|mDC[vV]|cLL[iI]|gAMA|cHRM)$/;
  return chunksOf(png).flatMap(({ type, bytes }) => (meaning.test(type) ? [bytes] : []));
}

/** The chunks after the header, without those that a profile, EXIF or the chunks of the source replace. */
function withoutColourChunks(png: Buffer): Buffer[] {
  const replaced = /^(iCCP|sRGB|eXIf|gAMA|cHRM)$/;
  return chunksOf(png).flatMap(({ type, bytes }) => (replaced.test(type) ? [] : [bytes]));
}

function chunksOf(png: Buffer): { readonly type: string; readonly bytes: Buffer }[] {
  const chunks = [];
  for (let at = SIGNATURE_AND_HEADER_BYTES; at + 12 <= png.length;) {
    const end = at + 12 + png.readUInt32BE(at);
    chunks.push({ type: png.toString('latin1', at + 4, at + 8), bytes: png.subarray(at, end) });
    at = end;
  }
  return chunks;
}
