import type { FieldEvidence, FieldOrder } from './field-evidence.ts';

/** Interlaced frames in a row: from frame `first` to before frame `end`. */
export interface InterlacedRun {
  readonly first: number;
  readonly end: number;
  readonly order: FieldOrder;
}

/** How the fields of a video are treated. Stored with the frame index, so that a resumed job treats them alike. */
export interface FieldPlan {
  /**
   * `deinterlace`: the frames of the runs become progressive, all others stay as they are. `match-fields`: the film frames of
   * the whole video are put together again from their fields.
   */
  readonly treatment: 'none' | 'deinterlace' | 'match-fields';
  /** In the order of the frames, without overlaps. */
  readonly runs: readonly InterlacedRun[];
  /** Film at 24 frames a second in video of 30: `hard` in the stored fields, `soft` in flags. */
  readonly pulldown: 'hard' | 'soft' | null;
  /** Number of frames that the stream marks as interlaced. */
  readonly markedCount: number;
}

/** The plan of a video that is progressive, or whose fields cannot be told apart. */
export const PROGRESSIVE: FieldPlan = { treatment: 'none', runs: [], pulldown: null, markedCount: 0 };

export interface FieldFindings {
  /** What each frame shows. */
  readonly evidence: readonly FieldEvidence[];
  /** Whether the stream marks a frame as interlaced. */
  readonly isMarked: (frame: number) => boolean;
  /** Whether the fields of film can be matched in the pixel format of the video. */
  readonly canMatchFields: boolean;
}

type Label = 'combed' | 'progressive' | 'unknown';

/** How much of a frame must be combed, depending on whether the stream marks the frame as interlaced. */
const SIGNS = {
  /** Blocks; fewer are chance. */
  leastBlocks: { marked: 2, unmarked: 3 },
  /** Share of all blocks. */
  leastOfAll: { marked: 0, unmarked: 0.005 },
  /** Share of the moving blocks. */
  leastOfMoving: { marked: 0.04, unmarked: 0.08 },
} as const;
/** In an interlaced frame, nearly all combed blocks agree on the order of the fields; elsewhere they do not. */
const MOST_DISSENT = 0.25;
/** Share of the moving frames of a run that must be combed. */
const LEAST_COMBED_SHARE = 0.5;
/** Frames in a row that an interlaced run has at least, and where none of them is marked as interlaced. */
const SHORTEST_RUN = 3;
const SHORTEST_UNMARKED_RUN = 8;
/** Frames in a row that a progressive run has at least between two interlaced ones, and at an end of the video. */
const SHORTEST_PAUSE = 12;
const SHORTEST_END = 4;
/** More runs than this do not fit into the arguments of a process; the shortest ones are then merged. */
const MOST_RUNS = 500;

/** Decides from the frames of a video which of them are interlaced, and how. */
export function planFields(findings: FieldFindings): FieldPlan {
  const { evidence, isMarked, canMatchFields } = findings;
  const labels = evidence.map((each, frame) => labelOf(each, isMarked(frame)));
  const markedCount = evidence.filter((_, frame) => isMarked(frame)).length;
  if (!labels.includes('combed')) return { ...PROGRESSIVE, markedCount };
  const film = pulledDownFrames(evidence.map(cadenceLabelOf));
  const isFilm = labels.every((label, frame) => label !== 'combed' || film[frame] === true);
  const pulldown = film.includes(true) ? 'hard' : null;
  const filled = fillUnknown(
    labels.map((label, frame) => (film[frame] === true ? 'combed' : label)),
    isMarked,
  );
  const runs = orderedRuns(filled, findings).filter(
    (run) => film[run.first] === true || isMostlyCombed(labels, run),
  );
  if (runs.length === 0) return { ...PROGRESSIVE, markedCount };
  const treatment = isFilm && pulldown !== null && canMatchFields ? 'match-fields' : 'deinterlace';
  return { treatment, runs, pulldown, markedCount };
}

function isMostlyCombed(labels: readonly Label[], { first, end }: InterlacedRun): boolean {
  const moving = labels.slice(first, end).filter((label) => label !== 'unknown');
  return moving.filter((label) => label === 'combed').length >= LEAST_COMBED_SHARE * moving.length;
}

function labelOf({ combed, progressive, total }: FieldEvidence, isMarked: boolean): Label {
  const [most, fewest] = [Math.max(combed.tff, combed.bff), Math.min(combed.tff, combed.bff)];
  const kind = isMarked ? 'marked' : 'unmarked';
  const isCombed =
    most >= Math.max(SIGNS.leastBlocks[kind], SIGNS.leastOfAll[kind] * total) &&
    most >= SIGNS.leastOfMoving[kind] * (most + progressive) &&
    fewest <= MOST_DISSENT * most;
  if (isCombed) return 'combed';
  return progressive >= SIGNS.leastBlocks.marked ? 'progressive' : 'unknown';
}

/** Share of the moving blocks that are combed in a frame of two film frames; its neighbours may be slightly combed. */
const LEAST_MIXED = 0.4;

/** As `labelOf`, for frames that are expected to be clearly one or the other. */
function cadenceLabelOf({ combed, progressive }: FieldEvidence): Label {
  const most = Math.max(combed.tff, combed.bff);
  if (most + progressive < SIGNS.leastBlocks.marked) return 'unknown';
  return most >= LEAST_MIXED * (most + progressive) ? 'combed' : 'progressive';
}

const CADENCE = 5;
/** Frames of a window in which the cadence must hold, and of the steps by which the window moves. */
const WINDOW = 4 * CADENCE;
/** Frames with motion that a window needs at least, of each kind. */
const LEAST_SIGNS = 3;
const MOST_MISFITS = 0.1;

/** Marks the frames that lie in a constant cadence of 3:2 pulldown: of five frames, two in a row are combed. */
function pulledDownFrames(labels: readonly Label[]): boolean[] {
  const film = labels.map(() => false);
  for (let start = 0; start + WINDOW <= labels.length; start += CADENCE) {
    const phases = [0, 1, 2, 3, 4];
    if (!phases.some((phase) => hasCadence(labels, start, phase))) continue;
    film.fill(true, start, start + WINDOW);
    // The rest is too short for a window of its own.
    if (start + WINDOW + CADENCE > labels.length) film.fill(true, start);
  }
  return film;
}

function hasCadence(labels: readonly Label[], start: number, phase: number): boolean {
  const signs = { combed: 0, progressive: 0 };
  let misfits = 0;
  for (let frame = start; frame < start + WINDOW; frame++) {
    const label = labels[frame] ?? 'unknown';
    if (label === 'unknown') continue;
    signs[label]++;
    const expected = (frame + phase) % CADENCE < 2 ? 'combed' : 'progressive';
    if (label !== expected) misfits++;
  }
  const { combed, progressive } = signs;
  return combed >= LEAST_SIGNS && progressive >= LEAST_SIGNS && misfits <= MOST_MISFITS * WINDOW;
}

/** Frames without motion follow their neighbours; between different ones, the mark of the stream decides. */
function fillUnknown(labels: readonly Label[], isMarked: (frame: number) => boolean): boolean[] {
  const next: Label[] = [...labels];
  for (let frame = next.length - 2; frame >= 0; frame--)
    if (next[frame] === 'unknown') next[frame] = next[frame + 1] ?? 'unknown';
  let before: Label = 'unknown';
  return labels.map((label, frame) => {
    if (label !== 'unknown') before = label;
    const after = next[frame] ?? 'unknown';
    if (before === 'unknown' || after === 'unknown' || before === after)
      return (before === 'unknown' ? after : before) === 'combed';
    return isMarked(frame);
  });
}

function orderedRuns(
  combed: readonly boolean[],
  { evidence, isMarked }: Pick<FieldFindings, 'evidence' | 'isMarked'>,
): InterlacedRun[] {
  // A deinterlacer treats the last frame as the one before.
  let smooth: readonly boolean[] = combed.map((value, frame) =>
    frame > 0 && frame === combed.length - 1 ? (combed[frame - 1] ?? value) : value,
  );
  const least = (run: Run): number => {
    if (!run.isInside) return 0;
    const frames = Array.from({ length: run.end - run.first }, (_, i) => run.first + i);
    return frames.some((frame) => isMarked(frame)) ? SHORTEST_RUN : SHORTEST_UNMARKED_RUN;
  };
  for (let pause = SHORTEST_PAUSE; ; pause *= 2) {
    // Runs are joined before short ones are left out, so that single frames do not break up an interlaced scene.
    smooth = withoutShortRuns(smooth, false, ({ isInside }) => (isInside ? pause : SHORTEST_END));
    smooth = withoutShortRuns(smooth, true, least);
    const runs = runsOf(smooth).filter(({ value }) => value);
    if (runs.length > MOST_RUNS) continue;
    return runs.map(({ first, end }) => ({ first, end, order: orderOf(evidence.slice(first, end)) }));
  }
}

interface Run {
  readonly value: boolean;
  readonly first: number;
  /** Number of the first frame after the run. */
  readonly end: number;
  /** Whether another run precedes and another one follows it. */
  readonly isInside: boolean;
}

/** Flips the runs of `value` that are shorter than `least`, but never the whole video. */
function withoutShortRuns(
  values: readonly boolean[],
  value: boolean,
  least: (run: Run) => number,
): boolean[] {
  const result = [...values];
  for (const run of runsOf(values)) {
    const isWhole = run.end - run.first === values.length;
    if (run.value === value && !isWhole && run.end - run.first < least(run))
      result.fill(!value, run.first, run.end);
  }
  return result;
}

function runsOf(values: readonly boolean[]): Run[] {
  const starts = values.flatMap((value, frame) => (value === values[frame - 1] ? [] : [frame]));
  return starts.map((first, number) => ({
    value: values[first] ?? false,
    first,
    end: starts[number + 1] ?? values.length,
    isInside: number > 0 && number < starts.length - 1,
  }));
}

function orderOf(evidence: readonly FieldEvidence[]): FieldOrder {
  const sum = (order: FieldOrder): number =>
    evidence.reduce((blocks, each) => blocks + each.combed[order], 0);
  return sum('bff') > sum('tff') ? 'bff' : 'tff';
}

/** Number of frames in the interlaced runs of a plan. */
export function interlacedCount({ runs }: FieldPlan): number {
  return runs.reduce((count, { first, end }) => count + end - first, 0);
}

/** Steps in a row of which one is half as long again as the other, as the flags of soft pulldown make them. */
const LEAST_ALTERNATING_SHARE = 0.8;

/** Whether the distances of the frames alternate as those of film whose pulldown is only in the flags of the stream. */
export function hasSoftPulldown(pts: ArrayLike<number>): boolean {
  let alternating = 0;
  for (let frame = 2; frame < pts.length; frame++) {
    const [a, b] = [(pts[frame - 1] ?? 0) - (pts[frame - 2] ?? 0), (pts[frame] ?? 0) - (pts[frame - 1] ?? 0)];
    if (Math.abs(Math.max(a, b) / Math.min(a, b) - 1.5) < 0.05) alternating++;
  }
  return pts.length >= WINDOW && alternating > LEAST_ALTERNATING_SHARE * (pts.length - 2);
}
