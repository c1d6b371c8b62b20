import type { Box } from '../dual-face/tracking/box.ts';

/** The boxes of the frames of a batch as four 16-bit numbers each; all are 0 where there is none. */
export function encodeBoxes(boxes: readonly (Box | null)[]): Uint8Array {
  const values = boxes.flatMap((box) =>
    box === null ? [0, 0, 0, 0] : [box.x, box.y, box.width, box.height],
  );
  return new Uint8Array(Uint16Array.from(values).buffer);
}

export function decodeBoxes(bytes: Uint8Array): (Box | null)[] {
  const values = new Uint16Array(Uint8Array.from(bytes).buffer);
  return Array.from({ length: values.length / 4 }, (_, i) => {
    const [x = 0, y = 0, width = 0, height = 0] = values.subarray(4 * i, 4 * i + 4);
    return width === 0 ? null : { x, y, width, height };
  });
}
