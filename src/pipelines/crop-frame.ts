import type { FrameFormat } from '../domain/media-info.ts';

/** A rectangle of a frame in pixels. */
export interface Window {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Copies a window out of a frame. */
export function cropFrame(pixels: Buffer, { width, pixelFormat }: FrameFormat, window: Window): Buffer {
  const pixelBytes = pixelFormat === 'rgb24' ? 3 : 6;
  const rowBytes = window.width * pixelBytes;
  const cropped = Buffer.allocUnsafe(rowBytes * window.height);
  for (let y = 0; y < window.height; y++) {
    const start = ((window.y + y) * width + window.x) * pixelBytes;
    pixels.copy(cropped, y * rowBytes, start, start + rowBytes);
  }
  return cropped;
}
