import sharp from 'sharp';

/** Code points of Rec. ITU-T H.273. */
const PRIMARIES = { bt709: 1, unspecified: 2, displayP3: 12 };
const HDR_TRANSFERS: Readonly<Record<number, string>> = { 16: 'PQ', 18: 'HLG' };

/** Colours of an AVIF image, in code points of H.273. */
interface AvifColors {
  readonly primaries: number;
  readonly transfer: number;
}

/** Colours that an AVIF image names in its `colr` box; null if it names none, or has a profile instead. */
function avifColors(bytes: Buffer): AvifColors | null {
  const at = bytes.indexOf('colrnclx', 0, 'latin1');
  if (at === -1 || at + 12 > bytes.length) return null;
  return { primaries: bytes.readUInt16BE(at + 8), transfer: bytes.readUInt16BE(at + 10) };
}

/** Why the colours of an AVIF image would be lost, as the end of a sentence that starts with its name; else null. */
export function whyUnsupportedAvif(bytes: Buffer): string | null {
  const colors = avifColors(bytes);
  if (colors === null) return null;
  const hdr = HDR_TRANSFERS[colors.transfer];
  if (hdr !== undefined)
    return `is an HDR image (${hdr}), for which the output has too few bits; convert it to SDR.`;
  if (Object.values(PRIMARIES).includes(colors.primaries)) return null;
  return `uses colour primaries (H.273 code ${colors.primaries}) that cannot be kept; convert it to sRGB or Display P3.`;
}

/** The profile for the colours of an AVIF image without one: sharp does not write a `colr` box. Null for sRGB. */
export async function profileOfAvif(bytes: Buffer): Promise<Buffer | null> {
  if (avifColors(bytes)?.primaries !== PRIMARIES.displayP3) return null;
  const pixel = sharp({ create: { width: 1, height: 1, channels: 3, background: 'black' } });
  const { icc } = await sharp(await pixel.withIccProfile('p3').png().toBuffer()).metadata();
  return icc ?? null;
}

/** What is in the file of an image and not in its pixels; null if nothing is. */
export function leftOutOf(bytes: Buffer, format: string): string | null {
  if (!hasFurtherImages(bytes, format)) return null;
  return format === 'avif' || GAIN_MAPS.some((name) => bytes.includes(name, 0, 'latin1'))
    ? 'the output has no gain map, so it is no longer shown in HDR'
    : 'a video or further images in the file are left out';
}

/** Names of gain maps in a JPEG: of Android and Adobe, of Apple, and of ISO 21496-1. */
const GAIN_MAPS = ['hdrgm:Version', 'HDRGainMap', 'urn:iso:std:iso:ts:21496:-1'];

/** Whether a JPEG is followed by a video, as in motion photos, or lists further images (MPF); or an AVIF has a gain map. */
function hasFurtherImages(bytes: Buffer, format: string): boolean {
  if (format === 'avif') return bytes.subarray(0, 4096).includes('tmap', 0, 'latin1');
  if (format !== 'jpeg') return false;
  const end = bytes.lastIndexOf(Buffer.from('ffd9', 'hex'));
  return (
    bytes.includes('MPF\0', 0, 'latin1') ||
    bytes.includes('ftyp', Math.max(0, end), 'latin1') ||
    bytes.includes('MotionPhoto', 0, 'latin1')
  );
}
