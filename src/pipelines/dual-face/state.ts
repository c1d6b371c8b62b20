import type { CutState } from './camera/cut-detector.ts';
import { FIRST_DIRECTION, type DirectionState } from './direction/director.ts';
import { FIRST_IDENTITIES, type IdentityState } from './identity/identify.ts';
import type { TrackerState } from './tracking/byte-tracker.ts';

/** Everything from earlier frames that the next frame depends on. Plain data and typed arrays. */
export interface DualFaceState {
  /** Number of frames so far. */
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
  identity: FIRST_IDENTITIES,
  direction: FIRST_DIRECTION,
};
