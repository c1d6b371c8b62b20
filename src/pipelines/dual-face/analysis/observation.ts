import { deserialize, serialize } from 'node:v8';
import type { Box } from '../tracking/box.ts';

/** What the first pass saw in one frame. */
export interface Observation {
  /** Whether the frame is the first one of the video or after a cut. */
  readonly isNewShot: boolean;
  /** Frames of the dissolve that has ended with this frame; 0: the shot starts with a hard cut, or no shot starts. */
  readonly dissolveFrames: number;
  /** null: no faces were detected in this frame, because the recipe detects them only in every n-th. */
  readonly faces: readonly SeenFace[] | null;
}

/** A face in one frame. */
export interface SeenFace {
  /** Number of the tracklet, a part of a track that certainly shows one person. */
  readonly tracklet: number;
  readonly box: Box;
  readonly score: number;
  /** null: none was computed in this frame. */
  readonly embedding: Float32Array | null;
  /** Height of the face in pixels, measured more precisely than that of the box; only in some frames, and not in earlier versions. */
  readonly height?: number;
  /** How well the face would look on a thumbnail; only where there is an embedding, and not in earlier versions. */
  readonly quality?: number;
  /** How much the mouth has moved since the analysed frame before; absent where that is unknown. */
  readonly mouth?: number;
}

/** Encodes the observations of a batch in V8's structured clone format, which later versions of Node.js can read. */
export function encodeObservations(observations: readonly Observation[]): Uint8Array {
  return serialize(observations);
}

export function decodeObservations(bytes: Uint8Array): Observation[] {
  return deserialize(bytes) as Observation[];
}
