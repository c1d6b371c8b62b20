import { deserialize, serialize } from 'node:v8';
import { InputRejectedError } from '../../domain/errors.ts';
import type { CutState } from './camera/cut-detector.ts';
import { FIRST_DIRECTION, type DirectionState } from './direction/director.ts';
import { NOBODY, type IdentityState } from './identity/identity-keeper.ts';
import type { TrackerState } from './tracking/byte-tracker.ts';

/** All that a frame depends on of those before it (C9). Plain data and typed arrays. */
export interface DualFaceState {
  /** Frames so far. */
  readonly frames: number;
  /** null before the first frame. */
  readonly cut: CutState | null;
  readonly tracker: TrackerState;
  readonly identity: IdentityState;
  readonly direction: DirectionState;
}

export const FIRST_STATE: DualFaceState = {
  frames: 0,
  cut: null,
  tracker: { frame: 0, nextId: 1, tracks: [] },
  identity: NOBODY,
  direction: FIRST_DIRECTION,
};

/** Grows with every change of what is stored or of what it means. */
const VERSION = 1;

/** For the checkpoint: a few kilobytes in the format of V8's structured clone, which every later Node.js reads. */
export function writeState(state: DualFaceState): Uint8Array {
  return serialize({ version: VERSION, ...state });
}

/** @throws InputRejectedError STATE_OF_OTHER_VERSION */
export function readState(bytes: Uint8Array): DualFaceState {
  const stored = deserialize(bytes) as DualFaceState & { readonly version: number };
  if (stored.version === VERSION) return stored;
  throw new InputRejectedError(
    'STATE_OF_OTHER_VERSION',
    `The job was begun by another version of Framekiln, which stored state ${stored.version} where this one has ${VERSION}; cancel and retry it to begin anew.`,
  );
}
