import { deserialize, serialize } from 'node:v8';
import { InputRejectedError } from '../../domain/errors.ts';
import type { Axis, CameraState } from './camera/camera.ts';
import type { CutState } from './camera/cut-detector.ts';
import { FIRST_DIRECTION, type DirectionState, type PaneState } from './direction/director.ts';
import { NOBODY, type IdentityState } from './identity/identity-keeper.ts';
import type { TrackerState } from './tracking/byte-tracker.ts';

/** Everything that a frame depends on of the frames before it. Plain data and typed arrays. */
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
  identity: NOBODY,
  direction: FIRST_DIRECTION,
};

/** Increases with every change to what is stored or to its meaning. */
const VERSION = 2;

/** Version 1 called the target of a camera's axis its wish. */
type AxisV1 = Omit<Axis, 'target'> & { readonly wish: number };
type CameraV1 = Readonly<Record<keyof CameraState, AxisV1>>;
type PaneV1 = Omit<PaneState, 'camera'> & { readonly camera: CameraV1 | null };
type DirectionV1 = Omit<DirectionState, Side> & Readonly<Record<Side, PaneV1>>;
type Side = 'left' | 'right';

interface StoredStates {
  readonly 1: Omit<DualFaceState, 'direction'> & { readonly direction: DirectionV1 };
  readonly 2: DualFaceState;
}

/** Encodes the state for a checkpoint: a few kilobytes in V8's structured clone format, which later Node.js can read. */
export function writeState(state: DualFaceState): Uint8Array {
  return serialize({ ...state, version: VERSION });
}

/** @throws InputRejectedError STATE_OF_OTHER_VERSION */
export function readState(bytes: Uint8Array): DualFaceState {
  // The version must not stay in the state, where `writeState` would store it again.
  const { version, ...state } = deserialize(bytes) as { readonly version: unknown };
  if (version === VERSION) return state as StoredStates[2];
  if (version === 1) return fromV1(state as StoredStates[1]);
  throw new InputRejectedError(
    'STATE_OF_OTHER_VERSION',
    `The checkpoint was written by another version of Framekiln (state version ${String(version)}, expected 1 to ${VERSION}); ` +
      'cancel and retry the job to start it from the beginning.',
  );
}

function fromV1({ direction, ...state }: StoredStates[1]): DualFaceState {
  return { ...state, direction: directionFromV1(direction) };
}

function directionFromV1(direction: DirectionV1): DirectionState {
  return { ...direction, left: paneFromV1(direction.left), right: paneFromV1(direction.right) };
}

function paneFromV1({ camera, ...pane }: PaneV1): PaneState {
  if (camera === null) return { ...pane, camera };
  const { x, y, zoom } = camera;
  return { ...pane, camera: { x: axisFromV1(x), y: axisFromV1(y), zoom: axisFromV1(zoom) } };
}

function axisFromV1({ wish, ...axis }: AxisV1): Axis {
  return { ...axis, target: wish };
}
