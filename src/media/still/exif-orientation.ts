const PREFIX_BYTES = 6;
const ORIENTATION_TAG = 0x0112;
const ENTRY_BYTES = 12;
const UPRIGHT = 1;

/**
 * A copy of an EXIF block that calls its image upright (EXIF 2.3, section 4.6.4 A). Blocks without an orientation, and
 * damaged ones, stay as they are.
 *
 * @param exif with or without its `Exif` prefix
 */
export function uprightExif(exif: Buffer): Buffer {
  const block = Buffer.from(exif);
  const tiff = block.toString('latin1', 0, 4) === 'Exif' ? block.subarray(PREFIX_BYTES) : block;
  const isLittle = tiff.toString('latin1', 0, 2) === 'II';
  const read16 = (at: number): number => (isLittle ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
  if (tiff.length < 8) return block;
  const directory = isLittle ? tiff.readUInt32LE(4) : tiff.readUInt32BE(4);
  if (directory + 2 > tiff.length) return block;
  const count = read16(directory);
  for (let i = 0; i < count; i++) {
    const entry = directory + 2 + i * ENTRY_BYTES;
    if (entry + ENTRY_BYTES > tiff.length) return block;
    if (read16(entry) !== ORIENTATION_TAG) continue;
    if (isLittle) tiff.writeUInt16LE(UPRIGHT, entry + 8);
    else tiff.writeUInt16BE(UPRIGHT, entry + 8);
  }
  return block;
}
