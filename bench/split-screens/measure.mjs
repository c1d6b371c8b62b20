/** Judges the views of a split screen against the known faces of a scene. */

/** Frames after a cut in which a wrong person in a pane is not counted. */
const SETTLING = 5;
/** Frames for which a pane may stay at the place of somebody who has left. */
const GRACE = 38;
/** Where the centre of a well framed face is, as shares of the view's width and height. */
const [MIN_X, MAX_X, MIN_Y, MAX_Y] = [0.2, 0.8, 0.15, 0.75];
/** Heights of a well framed face, as shares of the view's height. */
const [SMALLEST, LARGEST] = [0.15, 0.6];
/** The detector's idea of a face differs from that of the truth by this share of its height. */
const TOLERANCE = 0.08;
/** A view that moves by more than this share of its height between two frames has jumped. */
const JUMP = 0.25;
/** Slower movements, in heights per second, do not count as a change of direction. */
const STILL = 0.03;

/**
 * Scores of a scene.
 *
 * @param scene see scenes.mjs
 * @param frames for each frame the `shots` (of each layer, see compose.mjs) and the `views` of the panes
 * @param geometryOf size of the source and aspect ratio of the views, by layout and number of panes
 */
export function measure(scene, frames, geometryOf, rate) {
  const scores = { framed: 0, wrong: 0, duplicates: 0, longestMiss: 0, jumps: 0, fastest: 0, reversals: 0 };
  const differences = [];
  const run = [];
  let judgedPanes = 0;
  let seen = {};
  let cut = 0;
  for (const [i, { shots, views }] of frames.entries()) {
    if (scene.cuts.includes(i)) {
      cut = i;
      seen = {};
    }
    for (const { id } of shots.flatMap(({ faces }) => faces)) seen[id] = i;
    const unseenFor = (id) => i - (seen[id] ?? -Infinity);
    const geometry = geometryOf(views.layout, views.panes.length);
    const judged = shots.map((shot) => judge(scene, shot, views, geometry, unseenFor));
    const panes = Math.max(...shots.map((shot) => shot.panes.length));
    judgedPanes += panes;
    for (let pane = 0; pane < panes; pane++) {
      const isFramed = judged.some(({ panes: ofShot }) => ofShot[pane]?.isFramed);
      scores.framed += isFramed ? 1 : 0;
      run[pane] = isFramed ? 0 : (run[pane] ?? 0) + 1;
      scores.longestMiss = Math.max(scores.longestMiss, run[pane]);
      if (i >= cut + SETTLING || cut === 0)
        scores.wrong += judged.every(({ panes: ofShot }) => ofShot[pane]?.isWrong) ? 1 : 0;
    }
    if (judged.every(({ isDuplicate }) => isDuplicate)) scores.duplicates++;
    if (shots.length === 1) differences.push(...headDifferences(scene, shots[0], views));
  }
  addMovement(scores, scene, frames, rate);
  const unequal = differences.sort((a, b) => a - b)[Math.floor(differences.length / 2)] ?? 0;
  return { ...scores, unequal, framed: scores.framed / judgedPanes };
}

function judge({ any = false }, { faces, panes }, { panes: views, whole }, geometry, unseenFor) {
  const isWhole = whole >= 0.5;
  const subjects = panes.map((_, i) => subjectOf(views[i] ?? null, faces, geometry));
  const shown = subjects.filter((subject) => subject !== null);
  const isDuplicate = !isWhole && new Set(shown).size < shown.length;
  const visible = faces.filter(({ id }) => any || panes.includes(id));
  const judged = panes.map((id, i) => {
    const isWrong = !any && !isWhole && subjects[i] !== null && subjects[i] !== id;
    const own = visible.filter((face) => any || face.id === id);
    const isFramed = own.some((face) => isWellFramed(views[i] ?? null, face.box, geometry));
    // An empty place is fine for a while, as long as it is empty.
    if (!isWhole && own.length === 0)
      return { isWrong, isFramed: unseenFor(id) <= GRACE && subjects[i] === null };
    return { isWrong, isFramed: isWhole ? visible.length < 2 : isFramed && !(any && isDuplicate) };
  });
  return { isDuplicate, panes: judged };
}

/** How much larger the largest head is than the smallest one, as a share; nothing if not all panes show their actors. */
function headDifferences({ any = false }, { faces, panes }, { panes: views, whole }) {
  if (any || whole > 0) return [];
  const shares = panes.map((id, i) => {
    const face = faces.find((each) => each.id === id);
    return face === undefined || (views[i] ?? null) === null ? null : face.box.height / views[i].height;
  });
  return shares.includes(null) ? [] : [Math.max(...shares) / Math.min(...shares) - 1];
}

/** The actor that a view is about: the face nearest to where a face belongs; null if there is none. */
export function subjectOf(view, faces, { aspect }) {
  if (view === null) return null;
  const inside = faces
    .map(({ id, box }) => ({
      id,
      size: box.height / view.height,
      x: (box.x + box.width / 2 - view.centerX) / (view.height * aspect),
      y: (box.y + box.height / 2 - view.centerY) / view.height,
    }))
    .filter(({ x, y }) => Math.abs(x) < 0.5 && Math.abs(y) < 0.5)
    .sort((a, b) => Math.hypot(a.x, a.y + 0.08) - Math.hypot(b.x, b.y + 0.08));
  return inside.length === 1 || (inside[0]?.size ?? 0) >= SMALLEST ? inside[0].id : null;
}

/** Whether a face is whole and where it belongs; at the edge of the image, a view cannot be moved any further. */
export function isWellFramed(view, box, { width, height, aspect }) {
  if (view === null) return false;
  const across = view.height * aspect;
  const [left, top] = [view.centerX - across / 2, view.centerY - view.height / 2];
  const slack = TOLERANCE * box.height;
  const clip = { left: Math.max(0, box.x), top: Math.max(0, box.y) };
  const isWhole =
    clip.left >= left - slack &&
    clip.top >= top - slack &&
    Math.min(width, box.x + box.width) <= left + across + slack &&
    Math.min(height, box.y + box.height) <= top + view.height + slack;
  const x = (box.x + box.width / 2 - left) / across;
  const y = (box.y + box.height / 2 - top) / view.height;
  const size = box.height / view.height;
  return (
    isWhole &&
    (x >= MIN_X || left < 1) &&
    (x <= MAX_X || left + across > width - 1) &&
    (y >= MIN_Y || top < 1) &&
    (y <= MAX_Y || top + view.height > height - 1) &&
    size >= SMALLEST &&
    size <= LARGEST
  );
}

/** Adds what the cameras do between cuts: jumps, the highest speed in heights per second, and changes of direction. */
function addMovement(scores, { cuts }, frames, rate) {
  const panes = Math.max(...frames.map(({ views }) => views.panes.length));
  for (let pane = 0; pane < panes; pane++) {
    let direction = 0;
    for (let i = 1; i < frames.length; i++) {
      const [before, after] = [frames[i - 1].views, frames[i].views];
      if (cuts.includes(i)) direction = 0;
      const [from, to] = [before.panes[pane] ?? null, after.panes[pane] ?? null];
      if (cuts.includes(i) || from === null || to === null) continue;
      if (before.panes.length !== after.panes.length) continue;
      if (before.whole === 1 || after.whole === 1) continue;
      const across = (to.centerX - from.centerX) / to.height;
      const moved = Math.hypot(across, (to.centerY - from.centerY) / to.height);
      if (moved > JUMP) {
        scores.jumps++;
        continue;
      }
      scores.fastest = Math.max(scores.fastest, moved * rate);
      if (Math.abs(across * rate) < STILL) continue;
      if (direction !== 0 && Math.sign(across) !== direction) scores.reversals++;
      direction = Math.sign(across);
    }
  }
}
