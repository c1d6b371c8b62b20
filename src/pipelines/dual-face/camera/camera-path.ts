import type { FaceTarget } from './face-target.ts';
import { tautString } from './taut-string.ts';
import { centerFor, insideImage, type View, type ViewGeometry } from './view.ts';

/** How far the face may be from where it belongs: horizontally, vertically, as shares of the view's height; and its size. */
const SLACK_X = 0.07;
const SLACK_Y = 0.06;
const SLACK_ZOOM = Math.log(1.05);
/** Somebody who moves abruptly may be this many times further away, for a moment. */
const LIMIT = 2;
/** Time before and after a frame over which the path is averaged, so that it starts and stops softly. */
const EASE_SECONDS = 0.4;

/** Where a path has to be at each step. */
interface Tube {
  readonly low: Float64Array;
  readonly high: Float64Array;
}

/**
 * The views of a pane that follows a face. The whole path is known, so the camera moves before a face would leave its
 * place, and does not lag behind it: the path of least movement that keeps the face near its place (`tautString`),
 * averaged over a window. The tube is narrowed over the same window before, so the average stays in it.
 *
 * @param targets the face in consecutive frames
 */
export function cameraPath(
  targets: readonly FaceTarget[],
  geometry: ViewGeometry,
  framesPerSecond: number,
): View[] {
  const reach = Math.max(1, Math.round(EASE_SECONDS * framesPerSecond));
  const wanted = targets.map(({ viewHeight }) => Math.log(viewHeight));
  const heights = easedPath((slack) => tubeAround(wanted, () => slack * SLACK_ZOOM), reach).map(Math.exp);
  const heightAt = (at: number): number => heights[at] ?? 0;
  const along = (axis: 'centerX' | 'centerY', slackShare: number): Float64Array => {
    const centers = targets.map(({ box, shiftX }, at) => {
      const center = centerFor(box, heightAt(at));
      return axis === 'centerX' ? center.centerX + shiftX : center.centerY;
    });
    return easedPath((slack) => {
      const { low, high } = tubeAround(centers, (at) => slack * slackShare * heightAt(at));
      const inside = (value: number, at: number): number =>
        insideImage({ centerX: value, centerY: value, height: heightAt(at) }, geometry)[axis];
      return { low: low.map(inside), high: high.map(inside) };
    }, reach);
  };
  const [x, y] = [along('centerX', SLACK_X), along('centerY', SLACK_Y)];
  return targets.map((_, at) =>
    insideImage({ centerX: x[at] ?? 0, centerY: y[at] ?? 0, height: heightAt(at) }, geometry),
  );
}

function tubeAround(targets: readonly number[], slack: (at: number) => number): Tube {
  return {
    low: Float64Array.from(targets, (target, at) => target - slack(at)),
    high: Float64Array.from(targets, (target, at) => target + slack(at)),
  };
}

/**
 * The path of least movement in a tube, averaged over `reach` steps before and after each step.
 *
 * @param tubeOf the tube for a multiple of the usual slack
 */
function easedPath(tubeOf: (slack: number) => Tube, reach: number): Float64Array {
  const { low, high } = tubeOf(1);
  const narrow = { low: overWindow(low, reach, Math.max), high: overWindow(high, reach, Math.min) };
  for (let at = 0; at < low.length; at++) {
    const [lo, hi] = [narrow.low[at] ?? 0, narrow.high[at] ?? 0];
    // Somebody crosses the whole tube within the window: the path goes through its middle, as far as the tube allows here.
    if (lo > hi)
      narrow.low[at] = narrow.high[at] = Math.min(high[at] ?? 0, Math.max(low[at] ?? 0, (lo + hi) / 2));
  }
  const averaged = averageOver(tautString(narrow.low, narrow.high), reach);
  const limit = tubeOf(LIMIT);
  return averaged.map((value, at) => Math.min(limit.high[at] ?? 0, Math.max(limit.low[at] ?? 0, value)));
}

/** The extreme value within `reach` steps of each step. */
function overWindow(
  values: Float64Array,
  reach: number,
  extreme: (...values: number[]) => number,
): Float64Array {
  return values.map((_, at) => extreme(...values.subarray(Math.max(0, at - reach), at + reach + 1)));
}

/** The mean of the values around each step, weighted with a raised cosine; beyond the ends, with those at the ends. */
function averageOver(values: Float64Array, reach: number): Float64Array {
  const weights = Array.from(
    { length: 2 * reach + 1 },
    (_, i) => 1 + Math.cos((Math.PI * (i - reach)) / (reach + 1)),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return values.map((_, at) => {
    let sum = 0;
    for (const [i, weight] of weights.entries()) {
      const index = Math.min(values.length - 1, Math.max(0, at + i - reach));
      sum += weight * (values[index] ?? 0);
    }
    return sum / total;
  });
}
