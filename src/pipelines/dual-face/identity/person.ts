import { iou, type Box } from '../tracking/box.ts';
import type { TrackedFace } from '../tracking/byte-tracker.ts';

/** A person with the track that currently follows them. Plain data that is stored in the checkpoint. */
export interface Person {
  readonly id: number;
  /** Id of the track that follows the person; null while they are missing. */
  readonly trackId: number | null;
  /** Current box of the face, or the last one before the person went missing. */
  readonly box: Box;
  /** Number of the last frame in which the person was seen. */
  readonly seenFrame: number;
  /** Confident detections so far, up to STABLE_FRAMES. */
  readonly confidentFrames: number;
  /** Consecutive frames without a confident detection. */
  readonly uncertainFrames: number;
  /** Moving average of being seen, 0 to 1. */
  readonly presence: number;
  /** Moving averages of the detection score, the height of the box and its horizontal centre. */
  readonly score: number;
  readonly height: number;
  readonly x: number;
  /** Embeddings of the person's face, each computed while the identity was certain. */
  readonly gallery: readonly Float32Array[];
  /** Number of the frame of the last enrolment; -1 before the first. */
  readonly enrolledFrame: number;
  /** Pending check whether the track still follows this person; null if there is no reason for one. */
  readonly check: IdentityCheck | null;
}

export interface IdentityCheck {
  readonly reason: 'found again' | 'new' | 'confidence drop' | 'jump' | 'size' | 'overlap';
  /** Number of the first frame in which the face may be compared (again). */
  readonly dueFrame: number;
  /** Comparisons so far. */
  readonly comparisons: number;
}

/** A person is stable after this many confident detections. */
export const STABLE_FRAMES = 10;
/** A person counts as not visible after this many uncertain frames. */
export const UNCERTAIN_FRAMES = 5;
/** Minimum score of a confident detection. */
const CONFIDENT = 0.5;
/** Weights of the newest frame in the moving averages. */
const WEIGHT = 0.1;
const POSITION_WEIGHT = 0.15;
/** Limits beyond which an identity is checked: score as a share of its average, shift in widths, factor of the height. */
const SCORE_DROP = 0.55;
const JUMP = 0.5;
const SIZE_JUMP = 1.35;
/** Faces that overlap by more than this (IoU) may be confused by the tracker. */
const CONFUSING_OVERLAP = 0.1;

export function isStable({ confidentFrames }: Person): boolean {
  return confidentFrames >= STABLE_FRAMES;
}

/** Whether the person may be shown. A new person who may be a missing one is not shown until stable. */
export function isVisible(person: Person): boolean {
  const { trackId, uncertainFrames, check } = person;
  const isKnown = check?.reason !== 'new' || isStable(person);
  return trackId !== null && uncertainFrames < UNCERTAIN_FRAMES && isKnown;
}

/** Whether the person may reappear under another track. */
export function isMissing({ trackId, uncertainFrames }: Person): boolean {
  return trackId === null || uncertainFrames > 0;
}

/** A person for a new track. @param mayBeKnown whether they may be a missing person, which needs a check */
export function newPerson(id: number, face: TrackedFace, frame: number, mayBeKnown: boolean): Person {
  return {
    id,
    trackId: face.id,
    box: face.box,
    seenFrame: frame,
    confidentFrames: face.score >= CONFIDENT ? 1 : 0,
    uncertainFrames: 0,
    presence: WEIGHT,
    score: face.score,
    height: face.box.height,
    x: face.box.x + face.box.width / 2,
    gallery: [],
    enrolledFrame: -1,
    check: mayBeKnown ? { reason: 'new', dueFrame: frame, comparisons: 0 } : null,
  };
}

/** The person after another frame. @param face of their track in that frame; null if the track has none */
export function updatePerson(person: Person, face: TrackedFace | null, frame: number): Person {
  if (face === null || !face.isSeen) {
    const presence = person.presence * (1 - WEIGHT);
    const uncertainFrames = person.uncertainFrames + 1;
    return { ...person, box: face?.box ?? person.box, presence, uncertainFrames };
  }
  const isConfident = face.score >= CONFIDENT;
  const average = (before: number, now: number, weight: number): number => before + weight * (now - before);
  return {
    ...person,
    trackId: face.id,
    box: face.box,
    seenFrame: frame,
    confidentFrames: Math.min(STABLE_FRAMES, person.confidentFrames + (isConfident ? 1 : 0)),
    uncertainFrames: isConfident ? 0 : person.uncertainFrames + 1,
    presence: average(person.presence, 1, WEIGHT),
    score: average(person.score, face.score, WEIGHT),
    height: average(person.height, face.box.height, WEIGHT),
    x: average(person.x, face.box.x + face.box.width / 2, POSITION_WEIGHT),
    check: person.check ?? checkAfter(person, face, frame),
  };
}

/** The check that is needed if the track may have switched to another person; otherwise null. */
function checkAfter(before: Person, { box, score }: TrackedFace, frame: number): IdentityCheck | null {
  const check = (reason: IdentityCheck['reason']): IdentityCheck => ({
    ...{ reason, dueFrame: frame, comparisons: 0 },
  });
  if (before.uncertainFrames >= UNCERTAIN_FRAMES) return check('found again');
  if (score < before.score * SCORE_DROP) return check('confidence drop');
  const moved = Math.hypot(
    box.x + box.width / 2 - (before.box.x + before.box.width / 2),
    box.y + box.height / 2 - (before.box.y + before.box.height / 2),
  );
  if (moved > JUMP * box.width) return check('jump');
  const growth = box.height / before.box.height;
  if (growth > SIZE_JUMP || growth < 1 / SIZE_JUMP) return check('size');
  return null;
}

/** The person at a cut: whatever the new shot shows, their track has ended. */
export function leaveShot(person: Person): Person {
  return { ...person, trackId: null, uncertainFrames: UNCERTAIN_FRAMES, presence: 0, check: null };
}

/** Whether the person's face overlaps another one so much that the tracker may confuse the two. */
export function overlapsAnother(person: Person, others: readonly Person[]): boolean {
  return others.some(
    ({ id, uncertainFrames, box }) =>
      id !== person.id && uncertainFrames < UNCERTAIN_FRAMES && iou(box, person.box) > CONFUSING_OVERLAP,
  );
}
