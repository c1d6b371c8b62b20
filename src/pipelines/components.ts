import type { FrameFormat } from '../domain/media-info.ts';

/** Packed RGB components of a frame, 8 or 16 bit. */
export type Components = Uint8Array | Uint16Array;

/** The largest value of a component. */
export function maxComponent(format: Pick<FrameFormat, 'pixelFormat'>): number {
  return format.pixelFormat === 'rgb24' ? 255 : 65_535;
}

/** A frame's bytes as components; 16-bit ones are little-endian, like every supported platform. */
export function asComponents(pixels: Buffer, format: Pick<FrameFormat, 'pixelFormat'>): Components {
  if (format.pixelFormat === 'rgb24') return pixels;
  // Copied if the buffer starts at an odd address.
  const aligned = pixels.byteOffset % 2 === 0 ? pixels : Buffer.from(new Uint8Array(pixels).buffer);
  return new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 2);
}

/** A frame's components as 8-bit values; of 16-bit ones, the upper 8 bits. */
export function asBytes(pixels: Buffer, format: Pick<FrameFormat, 'pixelFormat'>): Uint8Array {
  if (format.pixelFormat === 'rgb24') return pixels;
  const components = asComponents(pixels, format);
  const bytes = new Uint8Array(components.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (components[i] ?? 0) >> 8;
  return bytes;
}
