import type { EnhancedPlaces } from './enhanced-places.ts';

/** The first number, which is another one than the version of views without enhanced places. */
const MARK = -1;
const HEADER_BYTES = 16;

/**
 * Encodes what a batch shows together with the enhanced places of its frames. Without any, it is just the views.
 *
 * @param views as `encodeViews` gives them
 */
export function encodeDirection(views: Uint8Array, places: readonly EnhancedPlaces[]): Uint8Array {
  if (places.every((each) => each === 0)) return views;
  const header = new DataView(new ArrayBuffer(HEADER_BYTES));
  header.setFloat64(0, MARK, true);
  header.setFloat64(8, places.length, true);
  return Buffer.concat([new Uint8Array(header.buffer), Uint8Array.from(places), views]);
}

/** The views of a batch, and the enhanced places of each of its frames; none: an empty list. */
export function decodeDirection(bytes: Uint8Array): {
  readonly views: Uint8Array;
  readonly places: readonly EnhancedPlaces[];
} {
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength < HEADER_BYTES || header.getFloat64(0, true) !== MARK)
    return { views: bytes, places: [] };
  const end = HEADER_BYTES + header.getFloat64(8, true);
  return { views: bytes.subarray(end), places: [...bytes.subarray(HEADER_BYTES, end)] };
}
