import { FACE_EDGE, MEL_COLUMNS, MEL_ROWS } from './wav2lip-layout.ts';

const PLANE = FACE_EDGE * FACE_EDGE;
const MELS_PER_SECOND = 80;

/** Number of columns of the spectrogram up to the last one that a frame hears. */
export function columnsHeard(frame: number, framesPerSecond: number): number {
  // Small enough that no frame of a rounded rate slips into the column before.
  return Math.floor((frame * MELS_PER_SECOND) / framesPerSecond + 1e-6) + MEL_COLUMNS;
}

/**
 * What the model gets for a frame: the face with a hidden lower half, the whole face, and the 16 columns of the spectrogram
 * that begin when the frame is shown. At the end of the speech, they are its last 16.
 *
 * @param face as of `readFace`
 * @param mel columns of 80 values
 */
export function packInput(
  face: Float32Array,
  mel: Float32Array,
  frame: number,
  framesPerSecond: number,
): Float32Array {
  const packed = new Float32Array(7 * PLANE);
  for (let color = 0; color < 3; color++) {
    const plane = face.subarray(color * PLANE, (color + 1) * PLANE);
    packed.set(plane.subarray(0, PLANE / 2), color * PLANE);
    packed.set(plane, (3 + color) * PLANE);
  }
  const columns = mel.length / MEL_ROWS;
  const wanted = columnsHeard(frame, framesPerSecond) - MEL_COLUMNS;
  const first = Math.max(0, Math.min(wanted, columns - MEL_COLUMNS));
  for (let column = 0; column < MEL_COLUMNS; column++)
    for (let row = 0; row < MEL_ROWS; row++) {
      const at = 6 * PLANE + row * FACE_EDGE + column;
      packed[at] = mel[Math.min(columns - 1, first + column) * MEL_ROWS + row] ?? 0;
    }
  return packed;
}
