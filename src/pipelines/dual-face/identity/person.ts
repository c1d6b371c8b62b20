import { iou, type Box } from '../tracking/box.ts';
import type { TrackedFace } from '../tracking/byte-tracker.ts';

/** A person who is known by a track, or was. Plain data: it is stored with the checkpoint. */
export interface Person {
  readonly id: number;
  /** The track that shows them; null while they are missing. */
  readonly trackId: number | null;
  /** Where they are, or were when they were last seen. */
  readonly box: Box;
  /** Number of the last frame that they were seen in. */
  readonly seenFrame: number;
  /** Confident frames so far, up to what makes a person stable. */
  readonly confidentFrames: number;
  /** Frames in a row in which they were not seen, or hardly. */
  readonly uncertainFrames: number;
  /** Moving averages: of being seen (0 to 1), of the score, of the box's height and centre. */
  readonly presence: number;
  readonly score: number;
  readonly height: number;
  readonly x: number;
  /** Embeddings of their face at moments without doubt. */
  readonly gallery: readonly Float32Array[];
  readonly enrolledFrame: number;
  /** Why it may be somebody else whom their track follows by now; null where there is no doubt. */
  readonly doubt: Doubt | null;
}

export interface Doubt {
  readonly reason: 'found again' | 'new' | 'confidence drop' | 'jump' | 'size' | 'overlap';
  /** Number of the frame in which a look is worth the next try. */
  readonly nextLook: number;
  readonly looks: number;
}

/** C4: stable after so many confident frames; given up after so many uncertain ones. */
export const STABLE_FRAMES = 10;
export const UNCERTAIN_FRAMES = 5;
/** A detection from this score on is a confident one. */
const CONFIDENT = 0.5;
/** Weight of a frame in the moving averages. */
const WEIGHT = 0.1;
const POSITION_WEIGHT = 0.15;
/** Suspicion: the score falls below this share of its average. */
const SCORE_DROP = 0.55;
/** The centre moves by more than this share of the box's width in one frame. */
const JUMP = 0.5;
/** The height changes by more than this factor in one frame. */
const SIZE_JUMP = 1.35;
/** Faces that overlap by more may be confused with each other. */
const CONFUSING_OVERLAP = 0.1;

export function isStable({ confidentFrames }: Person): boolean {
  return confidentFrames >= STABLE_FRAMES;
}

/** Somebody new is not shown while they may be one of those who were lost. */
export function isVisible(person: Person): boolean {
  const { trackId, uncertainFrames, doubt } = person;
  const isKnown = doubt?.reason !== 'new' || isStable(person);
  return trackId !== null && uncertainFrames < UNCERTAIN_FRAMES && isKnown;
}

/** Whether they may turn up under another track. */
export function isMissing({ trackId, uncertainFrames }: Person): boolean {
  return trackId === null || uncertainFrames > 0;
}

/** Somebody who was not known before. `doubt`: it may be someone who was lost. */
export function newcomer(id: number, face: TrackedFace, frame: number, hasDoubt: boolean): Person {
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
    doubt: hasDoubt ? { reason: 'new', nextLook: frame, looks: 0 } : null,
  };
}

/** The person after a frame in which their track shows `face`; null: it shows nothing. */
export function observe(person: Person, face: TrackedFace | null, frame: number): Person {
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
    doubt: person.doubt ?? suspicion(person, face, frame),
  };
}

/** Why a track that goes on may have gone over to somebody else. */
function suspicion(before: Person, { box, score }: TrackedFace, frame: number): Doubt | null {
  const doubt = (reason: Doubt['reason']): Doubt => ({ reason, nextLook: frame, looks: 0 });
  if (before.uncertainFrames >= UNCERTAIN_FRAMES) return doubt('found again');
  if (score < before.score * SCORE_DROP) return doubt('confidence drop');
  const moved = Math.hypot(
    box.x + box.width / 2 - (before.box.x + before.box.width / 2),
    box.y + box.height / 2 - (before.box.y + before.box.height / 2),
  );
  if (moved > JUMP * box.width) return doubt('jump');
  const grown = box.height / before.box.height;
  if (grown > SIZE_JUMP || grown < 1 / SIZE_JUMP) return doubt('size');
  return null;
}

/** Whether another face is so near that the tracker may take one for the other. */
export function isCrowded(person: Person, others: readonly Person[]): boolean {
  return others.some(
    ({ id, uncertainFrames, box }) =>
      id !== person.id && uncertainFrames < UNCERTAIN_FRAMES && iou(box, person.box) > CONFUSING_OVERLAP,
  );
}
