import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { extname } from 'node:path';

/** Formats of still images, with the file extensions that they have; the first one is given to files without any. */
export const STILL_EXTENSIONS = {
  jpeg: ['.jpg', '.jpeg', '.jpe', '.jfif'],
  png: ['.png'],
  webp: ['.webp'],
  tiff: ['.tif', '.tiff'],
  avif: ['.avif'],
} as const;

export type StillFormat = keyof typeof STILL_EXTENSIONS;

/**
 * The format of a still image, by its first bytes; null for anything else, such as animated PNG and WebP. Raw files of
 * cameras begin like TIFF, but contain only a small preview, so TIFF must also have its extension.
 */
export function stillFormatOf(path: string): Promise<StillFormat | null> {
  return withFile(path, async (file) => {
    const start = await readAt(file, 0, 32);
    // A chain of JPEG images is a video.
    if (MOTION_JPEG.test(path)) return null;
    if (start.readUIntBE(0, 3) === 0xff_d8_ff) return 'jpeg';
    if (start.toString('latin1', 0, 8) === '\x89PNG\r\n\x1a\n')
      return (await isAnimatedPng(file)) ? null : 'png';
    if (isWebp(start)) return isAnimatedWebp(start) ? null : 'webp';
    if (start.toString('latin1', 4, 12) === 'ftypavif') return 'avif';
    const isTiff = ['II*\0', 'MM\0*'].includes(start.toString('latin1', 0, 4));
    return isTiff && STILL_EXTENSIONS.tiff.some((extension) => extension === extname(path).toLowerCase())
      ? 'tiff'
      : null;
  });
}

const MOTION_JPEG = /\.mjpe?g$/i;

/** Reads a regular file; null for anything else. A named pipe in its place would block. */
async function withFile<T>(path: string, read: (file: FileHandle) => Promise<T>): Promise<T | null> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return (await file.stat()).isFile() ? await read(file) : null;
  } finally {
    await file.close();
  }
}

/** Whether a file is an animated WebP, which ffmpeg 5.1 cannot decode. */
export async function isAnimatedWebpFile(path: string): Promise<boolean> {
  return (await withFile(path, async (file) => isAnimatedWebp(await readAt(file, 0, 32)))) === true;
}

function isAnimatedWebp(start: Buffer): boolean {
  return isWebp(start) && start.toString('latin1', 12, 16) === 'VP8X' && ((start[20] ?? 0) & 2) !== 0;
}

function isWebp(start: Buffer): boolean {
  return start.toString('latin1', 0, 4) === 'RIFF' && start.toString('latin1', 8, 12) === 'WEBP';
}

/** Whether a PNG has an animation control chunk before its image data. */
async function isAnimatedPng(file: FileHandle): Promise<boolean> {
  for (let at = 8, chunks = 0; chunks < 1000; chunks++) {
    const header = await readAt(file, at, 8);
    const type = header.toString('latin1', 4, 8);
    if (type === 'acTL') return true;
    if (type === 'IDAT' || type === '\0\0\0\0') return false;
    at += 12 + header.readUInt32BE(0);
  }
  return false;
}

/** Bytes of a file; zeros where it is shorter. */
export async function readAt(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  await file.read(buffer, 0, length, at);
  return buffer;
}

/** Size of an AVIF image from its `ispe` property, which ffmpeg 5.1 does not read; null if there is none. */
export function avifSize(path: string): Promise<{ width: number; height: number } | null> {
  return withFile(path, async (file) => {
    const start = await readAt(file, 0, 64 * 1024);
    const at = start.indexOf('ispe', 0, 'latin1');
    if (at === -1 || at + 16 > start.length) return null;
    return { width: start.readUInt32BE(at + 8), height: start.readUInt32BE(at + 12) };
  });
}
