import { open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { InputRejectedError } from '../../domain/errors.ts';
import type { MediaInfo } from '../../domain/media-info.ts';
import { readAt } from './still-format.ts';

/** Header of an animated WebP file. */
export interface Animation {
  readonly width: number;
  readonly height: number;
  readonly hasAlpha: boolean;
  /** How long each frame is shown. */
  readonly delaysMs: readonly number[];
}

/** Browsers show a frame with a shorter time for 100 ms, as they do in GIF files. */
const LEAST_DELAY_MS = 11;
const USUAL_DELAY_MS = 100;

/**
 * Describes an animated WebP file as a video, by its headers alone.
 *
 * @throws InputRejectedError NOT_A_VIDEO if it is damaged or cut off
 */
export async function probeAnimation(path: string): Promise<MediaInfo> {
  const { width, height, hasAlpha, delaysMs } = await readAnimation(path);
  const totalMs = delaysMs.reduce((sum, delay) => sum + delay, 0);
  const durationSeconds = totalMs / 1000;
  return {
    ...{ path, container: 'webp', durationSeconds, startSeconds: 0, bytes: (await stat(path)).size },
    video: {
      ...{ index: 0, codec: 'webp', width, height, bitsPerComponent: 8, isStill: false },
      ...{ pixelFormat: 'rgb24', timeBase: { num: 1, den: 1000 } },
      averageFrameRate: { num: delaysMs.length * 1000, den: totalMs },
      sampleAspectRatio: { num: 1, den: 1 },
      ...{ rotationDegrees: 0, mirrored: false, hasAlpha, interlaced: false },
      color: { range: null, matrix: null, primaries: null, transfer: null, chromaLocation: null },
      ...{ hdr: null, dynamicHdr: null, durationSeconds, startSeconds: 0, dispositions: [] },
    },
    ...{ others: [], chapterCount: 0, tagNames: [] },
  };
}

/** Reads the headers; the chunks of a WebP file are described in Google's "WebP Container Specification". */
export async function readAnimation(path: string): Promise<Animation> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const start = await readAt(file, 0, 30);
    const delaysMs: number[] = [];
    for (let at = 12; at + 8 <= size;) {
      const header = await readAt(file, at, 8 + 16);
      const length = header.readUInt32LE(4);
      if (header.toString('latin1', 0, 4) === 'ANMF') {
        if (at + 8 + length > size) throw damagedAnimation(path, ', and ends too early');
        const delay = header.readUIntLE(8 + 12, 3);
        delaysMs.push(delay < LEAST_DELAY_MS ? USUAL_DELAY_MS : delay);
      }
      at += 8 + length + (length % 2);
    }
    if (delaysMs.length === 0) throw damagedAnimation(path, ', and has no frames');
    const hasAlpha = ((start[20] ?? 0) & 0x10) !== 0;
    return { width: start.readUIntLE(24, 3) + 1, height: start.readUIntLE(27, 3) + 1, hasAlpha, delaysMs };
  } finally {
    await file.close();
  }
}

export function damagedAnimation(path: string, why: string, cause?: unknown): InputRejectedError {
  return new InputRejectedError('NOT_A_VIDEO', `${basename(path)} is a damaged animated WebP${why}.`, {
    cause,
  });
}
