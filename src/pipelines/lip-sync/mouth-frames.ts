/** How the drawn faces of a frame are mixed: those of two frames that the model has seen. */
export interface Mix {
  readonly from: number;
  readonly to: number;
  /** Share of `to`. */
  readonly share: number;
}

/** Consecutive frames of a batch in which the same face speaks. Faces are mixed only within one. */
export interface Run {
  readonly first: number;
  readonly count: number;
}

/** The runs of a batch, in order. */
export function runsOf(boxes: readonly ({ readonly startsRun: boolean } | null)[]): Run[] {
  const runs: { first: number; count: number }[] = [];
  for (const [place, box] of boxes.entries()) {
    if (box === null) continue;
    const run = runs.at(-1);
    if (run === undefined || box.startsRun || run.first + run.count < place)
      runs.push({ first: place, count: 1 });
    else run.count++;
  }
  return runs;
}

/** The frames of a run that the model draws: every `skip`-th one, and the last one, as nothing after it may be mixed in. */
export function drawnFrames(count: number, skip: number): number[] {
  const frames = Array.from({ length: Math.ceil(count / skip) }, (_, i) => i * skip);
  return count > 0 && frames.at(-1) !== count - 1 ? [...frames, count - 1] : frames;
}

/** What a frame of a run shows: a mix of the drawn frames around it, or the last one before it. */
export function mixOf(frame: number, count: number, skip: number, interpolates: boolean): Mix {
  const from = frame === count - 1 ? frame : Math.floor(frame / skip) * skip;
  const to = Math.min(from + skip, count - 1);
  const share = interpolates && to > from ? (frame - from) / (to - from) : 0;
  return { from, to, share };
}
