import type { YuvFormat } from './media-info.ts';

/**
 * How frames of packed RGB become planar YUV. Luma is red * R + green * G + blue * B; Y is luma * lumaScale + lumaOffset, U
 * (B - luma) * uScale + chromaOffset, and V (R - luma) * vScale + chromaOffset, all of them rounded, and at most `largest`.
 */
export interface YuvConversion {
  readonly pixelFormat: YuvFormat;
  /** Even, like `height`. */
  readonly width: number;
  readonly height: number;
  /** Of RGB as of YUV. */
  readonly bytesPerComponent: 1 | 2;
  /** Whether two columns share a chroma sample, which lies in the first of them. */
  readonly halvesColumns: boolean;
  /** Whether two rows share a chroma sample. */
  readonly halvesRows: boolean;
  /** Whether that sample lies between the two rows, and not in the first of them. */
  readonly betweenRows: boolean;
  readonly red: number;
  readonly green: number;
  readonly blue: number;
  readonly lumaScale: number;
  readonly lumaOffset: number;
  readonly uScale: number;
  readonly vScale: number;
  readonly chromaOffset: number;
  readonly largest: number;
}
