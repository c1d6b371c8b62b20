/** Reach of an open mouth in heights of the face: half its width, its greatest opening, and how far down the jaw moves. */
const [HALF_WIDTH, OPENING, JAW] = [0.17, 0.09, 0.45];
const INSIDE = [60, 28, 28];

/** The pixels of an actor's frame with the mouth opened: the jaw is moved down, and the gap is dark. */
export function openMouth(pixels, { width, height }, mouth, faceHeight, opening) {
  const opened = Buffer.from(pixels);
  const [left, right] = [-HALF_WIDTH, HALF_WIDTH].map((at) => Math.round(mouth.x + at * faceHeight));
  const bottom = Math.min(height - 1, Math.round(mouth.y + JAW * faceHeight));
  for (let x = Math.max(0, left); x <= Math.min(width - 1, right); x++) {
    const across = (x - mouth.x) / (HALF_WIDTH * faceHeight);
    const gap = opening * OPENING * faceHeight * Math.max(0, 1 - across * across);
    for (let y = Math.max(0, Math.round(mouth.y)); y <= bottom; y++) {
      const to = (y * width + x) * 3;
      if (y - mouth.y < gap) {
        for (const [c, value] of INSIDE.entries()) opened[to + c] = value;
        continue;
      }
      // Nothing moves at the lower end of the jaw.
      const share = 1 - (y - mouth.y - gap) / (JAW * faceHeight - gap);
      const from = y - gap * Math.max(0, share);
      const top = Math.floor(from);
      for (let c = 0; c < 3; c++) {
        const upper = pixels[(top * width + x) * 3 + c];
        const lower = pixels[(Math.min(height - 1, top + 1) * width + x) * 3 + c];
        opened[to + c] = upper + (lower - upper) * (from - top);
      }
    }
  }
  return opened;
}
