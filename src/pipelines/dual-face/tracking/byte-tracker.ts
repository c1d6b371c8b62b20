import { iou, type Box, type Detection } from './box.ts';
import { boxOf, correctBox, predictBox, startBox, type BoxState } from './box-filter.ts';
import { assignPairs } from './linear-assignment.ts';

export interface TrackerOptions {
  /** Detections from this score on are associated first. */
  readonly highScore: number;
  /** Those below it are not looked at; those between are used to keep tracks that found no better one. */
  readonly lowScore: number;
  /** An unmatched detection from this score on begins a track. */
  readonly newTrackScore: number;
  /** A track that was not seen for more frames is forgotten. */
  readonly lostFrames: number;
  /** A track that was not seen for up to so many frames is shown where it is believed to be. */
  readonly coastFrames: number;
}

export const TRACKER_DEFAULTS: TrackerOptions = {
  highScore: 0.6,
  lowScore: 0.1,
  newTrackScore: 0.7,
  lostFrames: 30,
  coastFrames: 5,
};

/** A track that was seen in the current frame or shortly before. */
export interface TrackedFace {
  readonly id: number;
  /** Filtered. */
  readonly box: Box;
  /** Of the detection that it was seen by last. */
  readonly score: number;
  /** In the current frame; else the box is a prediction. */
  readonly isSeen: boolean;
}

/** Plain data: what `snapshot` gives can be stored and handed to another tracker. */
export interface TrackerState {
  readonly frame: number;
  readonly nextId: number;
  readonly tracks: readonly Track[];
}

interface Track {
  readonly id: number;
  readonly phase: 'tentative' | 'tracked' | 'lost';
  readonly state: BoxState;
  readonly seenFrame: number;
  readonly score: number;
}

/** Smallest overlaps of the paper's three rounds: high scores (times the score), low scores, tracks of one frame. */
const LEAST_HIGH = 0.2;
const LEAST_LOW = 0.5;
const LEAST_TENTATIVE = 0.3;
/** Of a tracked and a lost track that overlap so much, the one that lived shorter is a copy of the other. */
const SAME_FACE = 0.85;

/**
 * ByteTrack (Zhang et al., ECCV 2022): boxes of high score are associated with all tracks first, boxes of low score
 * with what is left of those that were seen in the last frame, so that a face that is half hidden keeps its track.
 *
 * A track's states: tentative, after its first sight (not shown; forgotten unless the next frame has it too) → tracked
 * ⇄ lost (shown for `coastFrames` more) → forgotten after `lostFrames`. In the first frame of all, tracks begin as tracked.
 */
export class ByteTracker {
  readonly #options: TrackerOptions;
  #frame: number;
  #nextId: number;
  #tracks: readonly Track[];

  /** @param state of another tracker's `snapshot`, to go on where it was */
  constructor(options: TrackerOptions = TRACKER_DEFAULTS, state: TrackerState | null = null) {
    this.#options = options;
    this.#frame = state?.frame ?? 0;
    this.#nextId = state?.nextId ?? 1;
    this.#tracks = state?.tracks ?? [];
  }

  /** The faces of the next frame, in the order of their ids. */
  update(detections: readonly Detection[]): TrackedFace[] {
    this.#frame++;
    const { highScore, lowScore, newTrackScore, lostFrames, coastFrames } = this.#options;
    const high = detections.filter(({ score }) => score >= highScore);
    const low = detections.filter(({ score }) => score >= lowScore && score < highScore);
    const predicted = this.#tracks.map((track) => ({
      ...track,
      state: predictBox(track.state, track.phase === 'lost'),
    }));
    const known = predicted.filter(({ phase }) => phase !== 'tentative');
    const tentative = predicted.filter(({ phase }) => phase === 'tentative');

    const first = this.#associate(known, high, LEAST_HIGH, true);
    const seenLast = first.tracks.filter(({ phase }) => phase === 'tracked');
    const second = this.#associate(seenLast, low, LEAST_LOW, false);
    const third = this.#associate(tentative, first.detections, LEAST_TENTATIVE, true);

    const lost = [...first.tracks.filter(({ phase }) => phase === 'lost'), ...second.tracks]
      .map((track) => ({ ...track, phase: 'lost' as const }))
      .filter(({ seenFrame }) => this.#frame - seenFrame <= lostFrames);
    const begun = third.detections
      .filter(({ score }) => score >= newTrackScore)
      .map((detection) => this.#begin(detection));
    const seen = [...first.seen, ...second.seen, ...third.seen];
    this.#tracks = [...withoutCopies(seen, lost), ...begun].sort((a, b) => a.id - b.id);
    return this.#tracks
      .filter(({ phase, seenFrame }) => phase !== 'tentative' && this.#frame - seenFrame <= coastFrames)
      .map(({ id, state, score, seenFrame }) => ({
        id,
        box: boxOf(state),
        score,
        isSeen: seenFrame === this.#frame,
      }));
  }

  snapshot(): TrackerState {
    return { frame: this.#frame, nextId: this.#nextId, tracks: this.#tracks };
  }

  #begin({ box, score }: Detection): Track {
    const phase = this.#frame === 1 ? 'tracked' : 'tentative';
    return { id: this.#nextId++, phase, state: startBox(box), seenFrame: this.#frame, score };
  }

  /** Pairs tracks with detections; gives the tracks that were seen, and what was left of either. */
  #associate(
    tracks: readonly Track[],
    detections: readonly Detection[],
    least: number,
    isFused: boolean,
  ): { seen: Track[]; tracks: Track[]; detections: Detection[] } {
    const boxes = tracks.map(({ state }) => boxOf(state));
    const pairs = assignPairs(
      tracks.length,
      detections.length,
      (row, column) => {
        const [box, detection] = [boxes[row], detections[column]];
        if (box === undefined || detection === undefined) return 0;
        return iou(box, detection.box) * (isFused ? detection.score : 1);
      },
      least,
    );
    const seen = pairs.flatMap(({ row, column }) => {
      const [track, detection] = [tracks[row], detections[column]];
      if (track === undefined || detection === undefined) return [];
      const { box, score } = detection;
      const state = correctBox(track.state, box);
      return [{ ...track, phase: 'tracked' as const, state, seenFrame: this.#frame, score }];
    });
    const rows = new Set(pairs.map(({ row }) => row));
    const columns = new Set(pairs.map(({ column }) => column));
    return {
      seen,
      tracks: tracks.filter((_, row) => !rows.has(row)),
      detections: detections.filter((_, column) => !columns.has(column)),
    };
  }
}

/** Of a seen and a lost track of one face, the older is kept. Ids grow, so the smaller is the older. */
function withoutCopies(seen: readonly Track[], lost: readonly Track[]): Track[] {
  const copies = new Set<number>();
  for (const one of seen) {
    for (const other of lost) {
      if (iou(boxOf(one.state), boxOf(other.state)) > SAME_FACE) copies.add(Math.max(one.id, other.id));
    }
  }
  return [...seen, ...lost].filter(({ id }) => !copies.has(id));
}
