import { readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import sharp from 'sharp';
import { InputRejectedError, toError } from '../../domain/errors.ts';
import type { FrameFormat } from '../../domain/media-info.ts';
import { counted } from '../../lib/counted.ts';
import { withoutFullStop } from '../../lib/without-full-stop.ts';
import type { StillFormat } from './still-format.ts';
import { colorChunksOf, withPngMetadata, type ImageMetadata } from './png-chunks.ts';
import { componentsOf, rawAlpha, rawColors, type Components, type UpscaledImage } from './components.ts';
import { uprightExif } from './exif-orientation.ts';
import { fillHiddenColors } from './hidden-colors.ts';
import { leftOutOf, profileOfAvif, whyUnsupportedAvif } from './still-colors.ts';
import { assertShows } from './verify-still.ts';

/** A decoded still image. The pixels have the colour space of the file: nothing converts them to another profile. */
export interface StillImage extends ImageMetadata {
  readonly format: StillFormat;
  readonly width: number;
  readonly height: number;
  readonly bitsPerComponent: 8 | 16;
  /** Packed RGB, little-endian where a component has 16 bits. Invisible pixels have the colour of a visible one near them. */
  readonly pixels: Buffer;
  /** One component per pixel, or null for an opaque image. */
  readonly alpha: Buffer | null;
  readonly isGrey: boolean;
  /** What else is in the file and not in the image; null if nothing is. */
  readonly leftOut: string | null;
  /** What cannot be kept, one phrase each. */
  readonly remarks: readonly string[];
}

/**
 * Decodes a still image. Its EXIF orientation is not applied, because the EXIF block is kept.
 *
 * @param maxPixels largest number of pixels that is decoded
 * @throws InputRejectedError NOT_A_VIDEO if the image is damaged, UNSUPPORTED_CODEC if it has several pages, or
 * UNSUPPORTED_COLOR if its colours cannot be kept
 */
export async function readStill(path: string, format: StillFormat, maxPixels: number): Promise<StillImage> {
  const name = basename(path);
  const bytes = await readFile(path);
  try {
    const limitInputPixels = Number.isFinite(maxPixels) ? maxPixels : false;
    const {
      space,
      depth,
      hasAlpha,
      pages,
      icc,
      exif,
      orientation = 1,
    } = await sharp(bytes, {
      limitInputPixels,
    }).metadata();
    if ((pages ?? 1) > 1)
      throw new InputRejectedError(
        'UNSUPPORTED_CODEC',
        `${name} has ${pages} pages; only single images are supported.`,
      );
    const isCmyk = space === 'cmyk';
    // sharp writes AVIF with 8 bits.
    const isWide = depth === 'ushort' && format !== 'avif';
    // The profile of CMYK says how its colours look; every other profile stays with its pixels.
    const decoded = sharp(bytes, { limitInputPixels, failOn: 'error', ignoreIcc: !isCmyk });
    // Without EXIF there is nothing that could keep the orientation.
    const image = orientation > 1 && exif === undefined ? decoded.autoOrient() : decoded;
    const unsupported = format === 'avif' && icc === undefined ? whyUnsupportedAvif(bytes) : null;
    if (unsupported !== null) throw new InputRejectedError('UNSUPPORTED_COLOR', `${name} ${unsupported}`);
    const profile = icc ?? (format === 'avif' ? await profileOfAvif(bytes) : null);
    const { data, info } = await rawColors(image.clone(), isWide);
    const alpha = hasAlpha ? (await rawAlpha(image.clone(), isWide)).data : null;
    if (info.channels !== 3) throw new Error(`it has ${counted(info.channels, 'channel')} instead of 3`);
    if (alpha !== null)
      fillHiddenColors({
        ...{ pixels: componentsOf(data, isWide), alpha: componentsOf(alpha, isWide) },
        ...{ width: info.width, height: info.height },
      });
    return {
      format,
      ...{ width: info.width, height: info.height, bitsPerComponent: isWide ? 16 : 8, pixels: data },
      alpha,
      isGrey: space === 'b-w' || space === 'grey16',
      icc: isCmyk ? null : profile,
      // Decoding AVIF turns the image, whatever its EXIF block says.
      exif: exif === undefined ? null : format === 'avif' ? uprightExif(exif) : exif,
      colorChunks: format === 'png' ? colorChunksOf(bytes) : [],
      leftOut: leftOutOf(bytes, format),
      remarks: [
        ...(isCmyk ? ['CMYK converted to sRGB'] : []),
        ...(depth === 'ushort' && !isWide ? ['bit depth reduced to 8'] : []),
      ],
    };
  } catch (error) {
    if (error instanceof InputRejectedError) throw error;
    const why = withoutFullStop(toError(error).message);
    throw new InputRejectedError('NOT_A_VIDEO', `${name} cannot be decoded: ${why}.`, { cause: error });
  }
}

/** The pixels decide the shape: headers may describe a thumbnail, or the image before it was turned. */
export function shapeOfImage({ width, height, bitsPerComponent }: StillImage) {
  const pixelFormat = bitsPerComponent === 16 ? 'rgb48le' : 'rgb24';
  return { width, height, bitsPerComponent, pixelFormat };
}

/** A frame of a video as an image without a profile. */
export function stillOfFrame(pixels: Buffer, { width, height, pixelFormat }: FrameFormat): StillImage {
  const bitsPerComponent = pixelFormat === 'rgb24' ? 8 : 16;
  return {
    ...{ format: 'png', width, height, bitsPerComponent, pixels, alpha: null, isGrey: false },
    ...{ icc: null, exif: null, colorChunks: [], leftOut: null, remarks: [] },
  };
}

/**
 * Writes an upscaled image in the format of its source, with the profile and EXIF of the source, and reads it back.
 *
 * @throws VerificationError if the file that was written does not show the image
 */
export async function writeStill(path: string, source: StillImage, upscaled: UpscaledImage): Promise<void> {
  const { width, height, pixels, alpha } = upscaled;
  const isWide = source.bitsPerComponent === 16;
  const space = source.isGrey ? (isWide ? 'grey16' : 'b-w') : isWide ? 'rgb16' : 'srgb';
  const colour = componentsOf(pixels, isWide);
  const image = sharp(alpha === null ? colour : withAlpha(colour, componentsOf(alpha, isWide)), {
    raw: { width, height, channels: alpha === null ? 3 : 4 },
    limitInputPixels: false,
  });
  const png = withPngMetadata(await image.toColourspace(space).png().toBuffer(), source);
  const file = source.format === 'png' ? png : await encode(png, source.format, space);
  await writeFile(path, file);
  await assertShows(path, upscaled, isWide);
}

/** Interleaves packed RGB with one component of transparency per pixel. */
function withAlpha(colour: Components, alpha: Components): Components {
  const both =
    colour instanceof Uint16Array ? new Uint16Array(4 * alpha.length) : Buffer.alloc(4 * alpha.length);
  for (let pixel = 0; pixel < alpha.length; pixel++) {
    for (let i = 0; i < 3; i++) both[4 * pixel + i] = colour[3 * pixel + i] ?? 0;
    both[4 * pixel + 3] = alpha[pixel] ?? 0;
  }
  return both;
}

/** Encodes without visible loss. */
function encode(png: Buffer, format: Exclude<StillFormat, 'png'>, space: string): Promise<Buffer> {
  const image = sharp(png, { limitInputPixels: false }).keepIccProfile().keepExif().toColourspace(space);
  if (format === 'jpeg') return image.jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer();
  if (format === 'webp') return image.webp({ quality: 95, smartSubsample: true }).toBuffer();
  if (format === 'tiff') return image.tiff({ compression: 'deflate', predictor: 'horizontal' }).toBuffer();
  return image.avif({ quality: 85, chromaSubsampling: '4:4:4' }).toBuffer();
}
