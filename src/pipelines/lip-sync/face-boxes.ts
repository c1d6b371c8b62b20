import type { Box } from '../dual-face/tracking/box.ts';

/** The box of the face that speaks in a frame, in whole pixels. */
export interface SpeakingBox extends Box {
  /** Whether the frame before shows another face there, or none, or belongs to another shot. */
  readonly startsRun: boolean;
}

/** Bit of the width that says whether a run starts; no frame is 32,768 pixels wide. Older versions never set it. */
const STARTS_RUN = 0x8000;

/** The boxes of the frames of a batch as four 16-bit numbers each; all are 0 where there is none. */
export function encodeBoxes(boxes: readonly (SpeakingBox | null)[]): Uint8Array {
  const values = boxes.flatMap((box) =>
    box === null ? [0, 0, 0, 0] : [box.x, box.y, box.width | (box.startsRun ? STARTS_RUN : 0), box.height],
  );
  return new Uint8Array(Uint16Array.from(values).buffer);
}

export function decodeBoxes(bytes: Uint8Array): (SpeakingBox | null)[] {
  const values = new Uint16Array(Uint8Array.from(bytes).buffer);
  return Array.from({ length: values.length / 4 }, (_, i) => {
    const [x = 0, y = 0, marked = 0, height = 0] = values.subarray(4 * i, 4 * i + 4);
    const width = marked & ~STARTS_RUN;
    return width === 0 ? null : { x, y, width, height, startsRun: (marked & STARTS_RUN) !== 0 };
  });
}
