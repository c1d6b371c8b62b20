import type { Sharp } from 'sharp';

/** Components of pixels with 8 or 16 bits. */
export type Components = Buffer | Uint16Array;

/** An upscaled image: packed RGB, and one component of transparency for each pixel or null for an opaque image. */
export interface UpscaledImage {
  readonly width: number;
  readonly height: number;
  readonly pixels: Buffer;
  readonly alpha: Buffer | null;
}

/** Decodes an image to packed components, little-endian where they have 16 bits. */
export function rawPixels(image: Sharp, isWide: boolean) {
  return image.raw({ depth: isWide ? 'ushort' : 'uchar' }).toBuffer({ resolveWithObject: true });
}

/** Decodes the colours of an image as packed RGB. */
export function rawColors(image: Sharp, isWide: boolean) {
  return rawPixels(image.removeAlpha().toColourspace(isWide ? 'rgb16' : 'srgb'), isWide);
}

/** Decodes the transparency of an image: one component for each pixel. */
export function rawAlpha(image: Sharp, isWide: boolean) {
  // Without a colour space of 16 bits, sharp reduces the values to 8 bits.
  return rawPixels(image.extractChannel('alpha').toColourspace(isWide ? 'grey16' : 'b-w'), isWide);
}

/** Packed bytes as components of 8 or 16 bits. */
export function componentsOf(bytes: Buffer, isWide: boolean): Components {
  return isWide ? new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2) : bytes;
}
