/** Quieter audio is silence, in decibels below full scale. */
const SILENCE = -60;
/** Speech with pauses varies by more decibels than this; audio that varies less says nothing about who speaks. */
const MIN_RANGE = 8;
/** Between which shares of the way from the quiet to the loud frames a frame turns from certainly silent to certainly spoken. */
const [QUIET, LOUD] = [0.3, 0.55];
/** The pauses between words and syllables are part of the speech. */
const PAUSE_SECONDS = 0.25;

/**
 * How certain it is that somebody speaks in each frame, 0 to 1.
 *
 * @param loudness of each frame in decibels below full scale
 * @returns null if the audio cannot tell: it is silent, or always about as loud
 */
export function speechIn(loudness: Float32Array, framesPerSecond: number): Float32Array | null {
  const sorted = loudness.map((level) => Math.max(SILENCE, level)).sort();
  const [quiet, loud] = [0.1, 0.9].map((share) => sorted[Math.floor(share * (sorted.length - 1))] ?? SILENCE);
  if (quiet === undefined || loud === undefined || loud - quiet < MIN_RANGE) return null;
  const reach = Math.round(PAUSE_SECONDS * framesPerSecond);
  return loudness.map((_, at) => {
    const loudest = Math.max(...loudness.subarray(Math.max(0, at - reach), at + reach + 1));
    const share = (loudest - quiet) / (loud - quiet);
    return Math.min(1, Math.max(0, (share - QUIET) / (LOUD - QUIET)));
  });
}
