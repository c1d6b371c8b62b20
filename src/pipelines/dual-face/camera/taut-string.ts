/**
 * The path through a tube with the least movement: a string that is pulled tight inside it (Davies and Kovac, "Local
 * extremes, runs, strings and multiresolution", Annals of Statistics 29, 2001). It rests wherever the tube allows, moves
 * in straight lines, and changes direction only where it must; of all paths in the tube, it has the smallest sum of any
 * convex function of the steps. Both ends are free.
 *
 * @param low lower edge of the tube at each step
 * @param high upper edge, nowhere below the lower one
 */
export function tautString(low: Float64Array, high: Float64Array): Float64Array {
  const path = new Float64Array(low.length);
  let anchor = restUntilForced(low, high, path);
  while (anchor < low.length - 1) anchor = pullFrom(anchor, low, high, path);
  return path;
}

/** The path rests at first, for as long as possible. @returns the step at which it has to leave */
function restUntilForced(low: Float64Array, high: Float64Array, path: Float64Array): number {
  let [lowest, lowestAt, highest, highestAt] = [-Infinity, 0, Infinity, 0];
  for (let at = 0; at < low.length; at++) {
    const [lo, hi] = [low[at] ?? 0, high[at] ?? 0];
    if (lo > highest) return rest(path, highest, highestAt);
    if (hi < lowest) return rest(path, lowest, lowestAt);
    if (lo >= lowest) [lowest, lowestAt] = [lo, at];
    if (hi <= highest) [highest, highestAt] = [hi, at];
  }
  return rest(path, (lowest + highest) / 2, low.length - 1);
}

function rest(path: Float64Array, value: number, until: number): number {
  path.fill(value, 0, until + 1);
  return until;
}

/** Continues the path from an anchor to the next point at which it bends, or to the end. @returns that point */
function pullFrom(anchor: number, low: Float64Array, high: Float64Array, path: Float64Array): number {
  const start = path[anchor] ?? 0;
  let [least, leastAt, most, mostAt] = [-Infinity, anchor, Infinity, anchor];
  for (let at = anchor + 1; at < low.length; at++) {
    const toLow = ((low[at] ?? 0) - start) / (at - anchor);
    const toHigh = ((high[at] ?? 0) - start) / (at - anchor);
    if (toLow > most) return drawLine(path, anchor, mostAt, high[mostAt] ?? 0);
    if (toHigh < least) return drawLine(path, anchor, leastAt, low[leastAt] ?? 0);
    if (toLow >= least) [least, leastAt] = [toLow, at];
    if (toHigh <= most) [most, mostAt] = [toHigh, at];
  }
  if (most < 0) return drawLine(path, anchor, mostAt, high[mostAt] ?? 0);
  if (least > 0) return drawLine(path, anchor, leastAt, low[leastAt] ?? 0);
  return drawLine(path, anchor, low.length - 1, start);
}

function drawLine(path: Float64Array, from: number, to: number, value: number): number {
  const start = path[from] ?? 0;
  for (let at = from + 1; at <= to; at++) path[at] = start + ((value - start) * (at - from)) / (to - from);
  return to;
}
