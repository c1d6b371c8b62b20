import type { Components } from '../components.ts';
import type { Area } from './tiles.ts';

/**
 * Copies an area of packed RGB into three planes of floats in 0..1.
 *
 * @param frameWidth pixels per row of `source`
 * @param planes [3, area.height, area.width]
 */
export function readPlanes(
  source: Components,
  frameWidth: number,
  area: Area,
  max: number,
  planes: Float32Array,
): void {
  const plane = area.width * area.height;
  const scale = 1 / max;
  let to = 0;
  for (let y = 0; y < area.height; y++) {
    let from = ((area.y + y) * frameWidth + area.x) * 3;
    for (let x = 0; x < area.width; x++, to++, from += 3) {
      planes[to] = (source[from] ?? 0) * scale;
      planes[to + plane] = (source[from + 1] ?? 0) * scale;
      planes[to + 2 * plane] = (source[from + 2] ?? 0) * scale;
    }
  }
}

/**
 * Copies an area of three planes of floats into packed RGB, clamped to 0..1 and rounded.
 *
 * @param planes [3, planesHeight, planesWidth]
 * @param from the area in the planes
 * @param to position of the area's upper left corner in `target`
 * @param frameWidth pixels per row of `target`
 */
export function writePlanes(
  planes: { readonly data: Float32Array; readonly width: number; readonly height: number },
  from: Area,
  to: { readonly x: number; readonly y: number },
  target: Components,
  frameWidth: number,
  max: number,
): void {
  const { data, width } = planes;
  const plane = width * planes.height;
  for (let y = 0; y < from.height; y++) {
    let source = (from.y + y) * width + from.x;
    let goal = ((to.y + y) * frameWidth + to.x) * 3;
    for (let x = 0; x < from.width; x++, source++, goal += 3) {
      target[goal] = quantise(data[source] ?? 0, max);
      target[goal + 1] = quantise(data[source + plane] ?? 0, max);
      target[goal + 2] = quantise(data[source + 2 * plane] ?? 0, max);
    }
  }
}

function quantise(value: number, max: number): number {
  if (value <= 0) return 0;
  return value >= 1 ? max : (value * max + 0.5) | 0;
}
