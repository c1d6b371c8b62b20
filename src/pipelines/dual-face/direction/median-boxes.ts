import type { Sighting } from '../identity/tracklet.ts';

/** Sightings of which the median box is taken, against single wrong boxes. */
const MEDIAN_OF = 5;

/** The sightings with each box replaced by the median of its neighbourhood. */
export function withMedianBoxes(run: readonly Sighting[]): Sighting[] {
  return run.map((sighting, i) => {
    // The same number on both sides, so that a face that moves steadily is not held back.
    const near = Math.min((MEDIAN_OF - 1) / 2, i, run.length - 1 - i);
    const around = run.slice(i - near, i + near + 1).map(({ box }) => box);
    const centerX = median(around.map(({ x, width }) => x + width / 2));
    const centerY = median(around.map(({ y, height }) => y + height / 2));
    const [width, height] = [median(around.map((box) => box.width)), median(around.map((box) => box.height))];
    return { ...sighting, box: { x: centerX - width / 2, y: centerY - height / 2, width, height } };
  });
}

/** The value in the middle; of an even number, the upper one; 0 of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** The sightings with boxes of the measured height, where a height was measured: by the median factor, about their centres. */
export function withMeasuredHeights(run: readonly Sighting[]): Sighting[] {
  const factors = run.flatMap(({ box, height }) => (height === undefined ? [] : [height / box.height]));
  if (factors.length === 0) return [...run];
  const factor = median(factors);
  return run.map((sighting) => {
    const { x, y, width, height } = sighting.box;
    const [moreWidth, moreHeight] = [(factor - 1) * width, (factor - 1) * height];
    const box = {
      ...{ x: x - moreWidth / 2, y: y - moreHeight / 2 },
      ...{ width: width + moreWidth, height: height + moreHeight },
    };
    return { ...sighting, box };
  });
}
