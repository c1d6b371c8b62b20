import { instructionSet } from '../config/environment.ts';
import { EngineError, toError } from '../domain/errors.ts';
import type { YuvConversion } from '../domain/yuv-conversion.ts';
import { convertToYuv } from './convert-to-yuv.ts';
import { loadCpuAddon, type CpuAddon } from './cpu-engine.ts';

/** Converts a frame of packed RGB. `target` has the size of the frame as YUV. */
export type YuvConverter = (pixels: Buffer, target: Buffer) => Promise<void>;

/** Whether the CPU addon converts frames here. One of an older version does not. */
export function canConvertToYuv(addon: () => CpuAddon = loadCpuAddon): boolean {
  return addonOrNull(addon) !== null;
}

/**
 * A converter of frames. Where the addon is missing, as on another machine than the one that planned the job, the conversion in
 * JavaScript gives the same bytes, but takes about fifty times as long.
 */
export function createYuvConverter(
  conversion: YuvConversion,
  load: () => CpuAddon = loadCpuAddon,
  isa = instructionSet(),
): YuvConverter {
  const addon = addonOrNull(load);
  return async (pixels, target) => {
    if (addon === null) {
      convertToYuv(conversion, pixels, target);
      return;
    }
    try {
      await addon.convertToYuv(aligned(pixels), conversion, isa, target);
    } catch (error) {
      const message = `Cannot convert a frame to YUV: ${toError(error).message}`;
      throw new EngineError('ENGINE_FAILED', message, { cause: error });
    }
  };
}

type Converting = CpuAddon & Required<Pick<CpuAddon, 'convertToYuv'>>;

function addonOrNull(load: () => CpuAddon): Converting | null {
  try {
    const addon = load();
    return addon.convertToYuv === undefined ? null : (addon as Converting);
  } catch {
    return null;
  }
}

/** Frames of 16-bit components begin at even addresses. */
function aligned(pixels: Buffer): Uint8Array {
  return pixels.byteOffset % 2 === 0 ? pixels : new Uint8Array(pixels);
}
