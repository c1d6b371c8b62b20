import type { Observation } from '../analysis/observation.ts';
import type { Box } from '../tracking/box.ts';

/** One face in one frame. */
export interface Sighting {
  /** Number of the frame in the video. */
  readonly frame: number;
  readonly box: Box;
  readonly score: number;
  /** Height of the face in pixels, measured more precisely than that of the box; absent where that is unknown. */
  readonly height?: number;
  /** How well the face would look on a thumbnail; absent where that is unknown. */
  readonly quality?: number;
  /** How much the mouth has moved; absent where that is unknown. */
  readonly mouth?: number;
}

/** A part of a track that shows one person, with everything that was seen of it. */
export interface Tracklet {
  readonly id: number;
  /** Number of the shot, which contains the whole tracklet. */
  readonly shot: number;
  /** In order of the frames; at least one. */
  readonly sightings: readonly Sighting[];
  readonly embeddings: readonly Float32Array[];
  /** The frame of each embedding. */
  readonly embeddedAt: readonly number[];
}

/** Consecutive frames between two cuts: from `from`, below `to`. */
export interface Shot {
  readonly from: number;
  readonly to: number;
}

/** The shots of a video; a dissolve is cut in its middle. @param observations of each frame */
export function shotsOf(observations: readonly Pick<Observation, 'isNewShot' | 'dissolveFrames'>[]): Shot[] {
  const starts: number[] = [];
  for (const [frame, { isNewShot, dissolveFrames }] of observations.entries()) {
    const start = Math.max(starts.at(-1) ?? 0, frame - Math.round(dissolveFrames / 2));
    if ((isNewShot || frame === 0) && start !== starts.at(-1)) starts.push(start);
  }
  return starts.map((from, i) => ({ from, to: starts[i + 1] ?? observations.length }));
}

/** The tracklets of a video, in order; those in the middle of a dissolve are divided. @param observations of each frame */
export function trackletsOf(observations: readonly Observation[], shots: readonly Shot[]): Tracklet[] {
  const found: Tracklet[] = [];
  for (const [shot, { from, to }] of shots.entries()) {
    const byId = new Map<
      number,
      { sightings: Sighting[]; embeddings: Float32Array[]; embeddedAt: number[] }
    >();
    for (let frame = from; frame < to; frame++) {
      for (const { tracklet, box, score, embedding, height, quality, mouth } of observations[frame]?.faces ??
        []) {
        const known = byId.get(tracklet) ?? { sightings: [], embeddings: [], embeddedAt: [] };
        byId.set(tracklet, known);
        known.sightings.push({
          ...{ frame, box, score },
          ...(height === undefined ? {} : { height }),
          ...(quality === undefined ? {} : { quality }),
          ...(mouth === undefined ? {} : { mouth }),
        });
        if (embedding === null) continue;
        known.embeddings.push(embedding);
        known.embeddedAt.push(frame);
      }
    }
    for (const rest of byId.values()) found.push({ id: found.length + 1, shot, ...rest });
  }
  return found;
}
