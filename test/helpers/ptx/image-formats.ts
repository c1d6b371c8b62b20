import { Struct } from './device-data.ts';

/** Numbers of the formats and matrices in kernels/image_format.h. */
export const FORMATS = { planar: 0, rgb24: 1, rgb48: 2, yuv420p: 3, nv12: 4, yuv420p10: 5, p010: 6 } as const;
export type Format = keyof typeof FORMATS;
const MATRICES = [
  [0.299, 0.114],
  [0.2126, 0.0722],
  [0.2627, 0.0593],
] as const;

export interface Layout {
  readonly format: Format;
  readonly matrix?: 0 | 1 | 2;
  readonly fullRange?: boolean;
}

export function layoutStruct({ format, matrix = 1, fullRange = false }: Layout): Struct {
  return new Struct(['i32', FORMATS[format]], ['i32', matrix], ['u8', fullRange ? 1 : 0]);
}

/** Samples of an image of one format: as many numbers as `samples` has, in the order of the format. */
export class Samples {
  readonly layout: Layout;
  readonly height: number;
  readonly width: number;
  readonly values: Uint8Array | Uint16Array | Float32Array;

  constructor(layout: Layout, height: number, width: number) {
    const { format } = layout;
    const luma = height * width;
    const chroma = 2 * Math.ceil(height / 2) * Math.ceil(width / 2);
    const count = isYuv(layout) ? luma + chroma : 3 * luma;
    [this.layout, this.height, this.width] = [layout, height, width];
    if (format === 'planar') this.values = new Float32Array(count);
    else if (['rgb48', 'yuv420p10', 'p010'].includes(format)) this.values = new Uint16Array(count);
    else this.values = new Uint8Array(count);
  }

  /** Where a component of a pixel lies; for chroma, `y` and `x` count chroma samples. */
  index(component: number, y: number, x: number): number {
    const luma = this.height * this.width;
    const { format } = this.layout;
    if (format === 'planar') return component * luma + y * this.width + x;
    if (!isYuv(this.layout)) return (y * this.width + x) * 3 + component;
    if (component === 0) return y * this.width + x;
    const [rows, columns] = [Math.ceil(this.height / 2), Math.ceil(this.width / 2)];
    const at = y * columns + x;
    return (
      luma +
      (format === 'nv12' || format === 'p010'
        ? at * 2 + component - 1
        : (component - 1) * rows * columns + at)
    );
  }

  get shift(): number {
    return this.layout.format === 'p010' ? 6 : 0;
  }

  get largest(): number {
    if (this.layout.format === 'planar') return 1;
    if (this.layout.format === 'rgb48') return 65_535;
    return this.values instanceof Uint16Array ? 1023 : 255;
  }

  sample(component: number, y: number, x: number): number {
    return (this.values[this.index(component, y, x)] as number) / 2 ** this.shift;
  }
}

export function isYuv({ format }: Layout): boolean {
  return FORMATS[format] >= FORMATS.yuv420p;
}

/** How numbers from 0 to 1 become integers, by ITU-R BT.601, BT.709 and BT.2020. */
export function coding(samples: Samples): {
  kr: number;
  kb: number;
  luma: readonly [number, number];
  chroma: readonly [number, number];
} {
  const { matrix = 1, fullRange = false } = samples.layout;
  const [kr, kb] = MATRICES[matrix];
  const unit = samples.largest === 1023 ? 4 : 1;
  return {
    kr,
    kb,
    luma: fullRange ? [samples.largest, 0] : [219 * unit, 16 * unit],
    chroma: [fullRange ? samples.largest : 224 * unit, 128 * unit],
  };
}
