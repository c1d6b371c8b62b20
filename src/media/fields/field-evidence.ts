/** Fields of a frame in the order in which they were taken: top field first, or bottom field first. */
export type FieldOrder = 'tff' | 'bff';

/** What one frame shows about how it was taken, in blocks of the image. */
export interface FieldEvidence {
  /** Moving blocks whose two fields show different moments, by the field that is earlier. */
  readonly combed: Readonly<Record<FieldOrder, number>>;
  /** Moving blocks whose two fields show the same moment. */
  readonly progressive: number;
  /** All blocks that were measured, moving or not. */
  readonly total: number;
}

/** Evidence of a frame that has no neighbours or no motion. */
export const NO_EVIDENCE: FieldEvidence = { combed: { tff: 0, bff: 0 }, progressive: 0, total: 0 };

const BLOCK = 16;
/** Mean change of a sample from which on a block counts as moving, above the noise of cameras and codecs. */
const LEAST_CHANGE = 3;
/** Lines in a row that stick out of those above and below; a thin line that moves has one or two. */
const LEAST_TEETH = 5;
const LEAST_TOOTH = 6;
/** A block is combed when the wrong neighbouring field differs this much more than the right one. */
const LEAST_ASYMMETRY = 1.3;
/** The fields of a frame differ at least this much of what they differ from the nearest field of a neighbouring frame. */
const LEAST_COMBING = 0.8;
/** Fields of neighbouring frames that differ more than this many times what the fields of a frame do are of other moments. */
const LEAST_DISTANCE = 1.5;

/**
 * Measures how a frame was taken from samples of its luma, with all of its lines. Between the lines of one field lie those
 * of the other: where they differ less from their neighbours in time than from those in the frame, the frame mixes two
 * moments. Which neighbour is nearer tells the order.
 */
export function measureFields(
  [before, frame, after]: readonly [Uint8Array, Uint8Array, Uint8Array],
  width: number,
): FieldEvidence {
  const height = Math.floor(frame.length / width);
  const combed = { tff: 0, bff: 0 };
  let [progressive, total] = [0, 0];
  for (let top = 1; top + BLOCK < height; top += BLOCK) {
    for (let left = 0; left < width; left += BLOCK) {
      const right = Math.min(width, left + BLOCK);
      total++;
      let [inside, early, late] = [0, 0, 0];
      for (let y = top; y < top + BLOCK; y++) {
        const isOdd = (y & 1) === 1;
        for (let at = y * width + left, end = y * width + right; at < end; at++) {
          const around = (frame[at - width] ?? 0) + (frame[at + width] ?? 0);
          const toBefore = Math.abs(around - 2 * (before[at] ?? 0));
          const toAfter = Math.abs(around - 2 * (after[at] ?? 0));
          inside += Math.abs(around - 2 * (frame[at] ?? 0));
          // With the top field first, the bottom field before and the top field after are the nearest ones.
          early += isOdd ? toBefore : toAfter;
          late += isOdd ? toAfter : toBefore;
        }
      }
      const [near, far] = early < late ? [early, late] : [late, early];
      const least = 2 * LEAST_CHANGE * (right - left) * BLOCK;
      if (far - near > least && far > LEAST_ASYMMETRY * near && inside > LEAST_COMBING * near) {
        if (hasTeeth(frame, width, { top, left, right })) combed[early < late ? 'tff' : 'bff']++;
      } else if (near - inside > least && near > LEAST_DISTANCE * inside) progressive++;
    }
  }
  return { combed, progressive, total };
}

/** Whether some column of a block alternates from line to line like a comb. */
function hasTeeth(
  frame: Uint8Array,
  width: number,
  { top, left, right }: { readonly top: number; readonly left: number; readonly right: number },
): boolean {
  for (let x = left; x < right; x++) {
    let teeth = 0;
    for (let y = top; y < top + BLOCK; y++) {
      const at = y * width + x;
      const here = frame[at] ?? 0;
      const [above, below] = [here - (frame[at - width] ?? 0), here - (frame[at + width] ?? 0)];
      teeth = above * below >= LEAST_TOOTH * LEAST_TOOTH ? teeth + 1 : 0;
      if (teeth >= LEAST_TEETH) return true;
    }
  }
  return false;
}
