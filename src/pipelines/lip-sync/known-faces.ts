import { createHash } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import type { Face } from '../dual-face/detection/face.ts';

/** The faces in a frame, which every frame with the same pixels has. */
export type SeenFrame = readonly [key: string, faces: readonly Face[]];

/** Faces of frames that have been searched already, by the content of the frame. */
export class KnownFaces {
  readonly #faces: Map<string, readonly Face[]>;
  /** Frames that did not have to be searched again. */
  reused = 0;

  constructor(frames: Iterable<SeenFrame> = []) {
    this.#faces = new Map(frames);
  }

  /** The faces of a frame: known ones, or else those that `detect` finds. */
  async find(pixels: Buffer, detect: () => Promise<Face[]>): Promise<SeenFrame> {
    const key = createHash('sha1').update(pixels).digest('base64').slice(0, 20);
    const known = this.#faces.get(key);
    if (known !== undefined) {
      this.reused++;
      return [key, known];
    }
    const faces = await detect();
    this.#faces.set(key, faces);
    return [key, faces];
  }
}

/** What the first pass found in the frames of a batch. */
export interface LipSyncFindings<Observed> {
  readonly observations: readonly Observed[];
  readonly frames: readonly SeenFrame[];
}

export function encodeFindings<Observed>(findings: LipSyncFindings<Observed>): Uint8Array {
  return serialize(findings);
}

export function decodeFindings<Observed>(bytes: Uint8Array): LipSyncFindings<Observed> {
  return deserialize(bytes) as LipSyncFindings<Observed>;
}

/** The frames of all findings and those that were known before, each once, for later jobs with the same video. */
export function seenFrames(findings: readonly Uint8Array[], before: readonly SeenFrame[]): Uint8Array {
  return serialize([...new Map([...before, ...findings.flatMap((bytes) => decodeFindings(bytes).frames)])]);
}

export function decodeSeenFrames(bytes: Uint8Array): SeenFrame[] {
  return deserialize(bytes) as SeenFrame[];
}
