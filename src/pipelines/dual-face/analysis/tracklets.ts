import { iou, type Box } from '../tracking/box.ts';
import type { DetectedTrack } from '../tracking/byte-tracker.ts';
import type { SeenFace } from './observation.ts';

/** Plain data that is stored in the checkpoint. */
export interface TrackletState {
  readonly nextId: number;
  readonly active: readonly ActiveTracklet[];
}

interface ActiveTracklet {
  readonly id: number;
  readonly trackId: number;
  readonly box: Box;
  /** Number of the analysed frame in which the face was seen last. */
  readonly seenAt: number;
  /** Whether the face overlapped another one then, so that the tracker may have confused the two. */
  readonly isConfused: boolean;
  readonly embeddings: number;
  /** Number of the analysed frame from which on the next embedding may be computed. */
  readonly dueAt: number;
}

export const NO_TRACKLETS: TrackletState = { nextId: 1, active: [] };

/** A track that was not seen in more analysed frames than this may be somebody else's afterwards. */
const MAX_UNSEEN = 5;
/** Limits of a change between analysed frames that one person makes: shift in widths, and factor of the height. */
const JUMP = 0.5;
const SIZE_JUMP = 1.35;
/** Faces that overlap by more than this (IoU) may be confused by the tracker. */
const CONFUSING_OVERLAP = 0.1;
/** Embeddings of faces with a lower detection score are unreliable. */
const MIN_COMPARABLE_SCORE = 0.6;
/** Analysed frames between the first embeddings of a tracklet, and between all later ones. */
const FIRST_PAUSES = [4, 20, 50];
const PAUSE = 100;

/**
 * Divides tracks into tracklets: a tracklet ends where its track may have moved to another person, because faces
 * overlapped, the face was not seen for a while, or it jumped. Who the people are is decided later, from the embeddings
 * of whole tracklets.
 *
 * @param seen the tracks that were detected in this frame
 * @param at number of the analysed frame
 * @param embed computes the embedding of one of the faces; null if that is impossible
 */
export async function followTracklets(
  before: TrackletState,
  seen: readonly DetectedTrack[],
  at: number,
  embed: (box: Box) => Promise<Float32Array | null>,
): Promise<{ state: TrackletState; faces: SeenFace[] }> {
  const recent = before.active.filter(({ seenAt }) => at - seenAt <= MAX_UNSEEN);
  const seenTracks = new Set(seen.map(({ id }) => id));
  const unseen = recent.filter(({ trackId }) => !seenTracks.has(trackId));
  const faces: SeenFace[] = [];
  const active: ActiveTracklet[] = [];
  let { nextId } = before;
  for (const { id: trackId, box, score, isConfirmed } of seen) {
    const others = [...seen.filter(({ id }) => id !== trackId), ...unseen];
    const isConfused = others.some((other) => iou(other.box, box) > CONFUSING_OVERLAP);
    const former = recent.find((each) => each.trackId === trackId);
    const continues =
      former !== undefined && isPlausible(former, box, at) && (isConfused || !former.isConfused);
    const begun = continues ? former : { id: nextId++, embeddings: 0, dueAt: at };
    const isDue = isConfirmed && !isConfused && score >= MIN_COMPARABLE_SCORE && begun.dueAt <= at;
    const embedding = isDue ? await embed(box) : null;
    const embeddings = begun.embeddings + Number(isDue);
    const dueAt = isDue ? at + (FIRST_PAUSES[embeddings - 1] ?? PAUSE) : begun.dueAt;
    active.push({ id: begun.id, trackId, box, seenAt: at, isConfused, embeddings, dueAt });
    faces.push({ tracklet: begun.id, box, score, embedding });
  }
  return { state: { nextId, active: [...active, ...unseen] }, faces };
}

/** Whether the face of a tracklet may be in this box in this frame. */
function isPlausible({ box: before, seenAt }: ActiveTracklet, box: Box, at: number): boolean {
  const moved = Math.hypot(
    box.x + box.width / 2 - (before.x + before.width / 2),
    box.y + box.height / 2 - (before.y + before.height / 2),
  );
  const growth = box.height / before.height;
  return (
    moved <= JUMP * box.width * Math.max(1, at - seenAt) && growth <= SIZE_JUMP && growth >= 1 / SIZE_JUMP
  );
}
