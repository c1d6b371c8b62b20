/** Faces in one run where memory is plentiful; their tensors and what the model computes need some 4 MB each. */
const MOST_FACES = 16;
const GIB = 2 ** 30;

/** Faces that a lip-sync model draws in one run: all with 8 GiB of free memory, half with 4 GiB, else a quarter. */
export function facesAtOnce(freeBytes: number): number {
  if (freeBytes >= 8 * GIB) return MOST_FACES;
  return freeBytes >= 4 * GIB ? MOST_FACES / 2 : MOST_FACES / 4;
}
