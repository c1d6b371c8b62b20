import { iou, type Box, type Detection } from './box.ts';
import { boxOf, correctBox, predictBox, startBox, type BoxState } from './box-filter.ts';
import { assignPairs } from './linear-assignment.ts';

export interface TrackerOptions {
  /** Minimum score of the detections that are associated first. */
  readonly highScore: number;
  /** Detections below this score are ignored; those up to `highScore` can only continue tracks that are still unmatched. */
  readonly lowScore: number;
  /** Minimum score of an unmatched detection to start a track. */
  readonly newTrackScore: number;
  /** Frames without a detection after which a track is dropped. */
  readonly lostFrames: number;
  /** Frames without a detection for which a track is reported at its predicted position. */
  readonly coastFrames: number;
}

export const TRACKER_DEFAULTS: TrackerOptions = {
  highScore: 0.6,
  lowScore: 0.1,
  newTrackScore: 0.7,
  lostFrames: 30,
  coastFrames: 5,
};

/** A track with a detection in the current frame or shortly before. */
export interface TrackedFace {
  readonly id: number;
  /** Box after the Kalman filter. */
  readonly box: Box;
  /** Score of its last detection. */
  readonly score: number;
  /** Whether it was detected in the current frame; otherwise the box is a prediction. */
  readonly isSeen: boolean;
}

/** A track that was detected in the current frame. */
export interface DetectedTrack {
  readonly id: number;
  /** Box of the detection itself, which does not lag behind a face that begins to move. */
  readonly box: Box;
  readonly score: number;
  /** Whether the track has been confirmed by a second detection. */
  readonly isConfirmed: boolean;
}

/** Plain data: the result of `snapshot`, from which another tracker can continue. */
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
  /** Box and score of the last detection. */
  readonly box: Box;
  readonly score: number;
}

/** Minimum overlaps of the paper's three rounds: high scores (times the score), low scores, tentative tracks. */
const MIN_HIGH = 0.2;
const MIN_LOW = 0.5;
const MIN_TENTATIVE = 0.3;
/** If a tracked and a lost track overlap by more than this, the younger one is a duplicate. */
const DUPLICATE_OVERLAP = 0.85;

/**
 * ByteTrack (Zhang et al., ECCV 2022): detections with high scores are associated with all tracks first, then those with
 * low scores with the remaining tracks of the previous frame, so that a partly hidden face keeps its track.
 *
 * States of a track: tentative after its first detection (not reported; dropped unless the next frame confirms it) → tracked
 * ⇄ lost (reported for `coastFrames`) → dropped after `lostFrames`. In the very first frame, tracks start as tracked.
 */
export class ByteTracker {
  readonly #options: TrackerOptions;
  #frame: number;
  #nextId: number;
  #tracks: readonly Track[];

  /** @param state the `snapshot` of another tracker, to continue from it */
  constructor(options: TrackerOptions = TRACKER_DEFAULTS, state: TrackerState | null = null) {
    this.#options = options;
    this.#frame = state?.frame ?? 0;
    this.#nextId = state?.nextId ?? 1;
    this.#tracks = state?.tracks ?? [];
  }

  /** Adds the detections of the next frame and returns its tracks, ordered by id. */
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

    const first = this.#associate(known, high, MIN_HIGH, true);
    const seenLast = first.tracks.filter(({ phase }) => phase === 'tracked');
    const second = this.#associate(seenLast, low, MIN_LOW, false);
    const third = this.#associate(tentative, first.detections, MIN_TENTATIVE, true);

    const lost = [...first.tracks.filter(({ phase }) => phase === 'lost'), ...second.tracks]
      .map((track) => ({ ...track, phase: 'lost' as const }))
      .filter(({ seenFrame }) => this.#frame - seenFrame <= lostFrames);
    const begun = third.detections
      .filter(({ score }) => score >= newTrackScore)
      .map((detection) => this.#begin(detection));
    const seen = [...first.seen, ...second.seen, ...third.seen];
    this.#tracks = [...withoutDuplicates(seen, lost), ...begun].sort((a, b) => a.id - b.id);
    return this.#tracks
      .filter(({ phase, seenFrame }) => phase !== 'tentative' && this.#frame - seenFrame <= coastFrames)
      .map(({ id, state, score, seenFrame }) => ({
        id,
        box: boxOf(state),
        score,
        isSeen: seenFrame === this.#frame,
      }));
  }

  /** The tracks that were detected in the frame of the last update, also those that no second detection has confirmed yet. */
  detected(): DetectedTrack[] {
    return this.#tracks
      .filter(({ seenFrame }) => seenFrame === this.#frame)
      .map(({ id, box, score, phase }) => ({ id, box, score, isConfirmed: phase !== 'tentative' }));
  }

  snapshot(): TrackerState {
    return { frame: this.#frame, nextId: this.#nextId, tracks: this.#tracks };
  }

  #begin({ box, score }: Detection): Track {
    const phase = this.#frame === 1 ? 'tracked' : 'tentative';
    return { id: this.#nextId++, phase, state: startBox(box), seenFrame: this.#frame, box, score };
  }

  /** Pairs tracks with detections; returns the tracks that were detected, and the unmatched tracks and detections. */
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
      return [{ ...track, phase: 'tracked' as const, state, seenFrame: this.#frame, box, score }];
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

/** Keeps the older one of a tracked and a lost track of the same face. The older one has the smaller id. */
function withoutDuplicates(seen: readonly Track[], lost: readonly Track[]): Track[] {
  const duplicates = new Set<number>();
  for (const one of seen) {
    for (const other of lost) {
      if (iou(boxOf(one.state), boxOf(other.state)) > DUPLICATE_OVERLAP)
        duplicates.add(Math.max(one.id, other.id));
    }
  }
  return [...seen, ...lost].filter(({ id }) => !duplicates.has(id));
}
