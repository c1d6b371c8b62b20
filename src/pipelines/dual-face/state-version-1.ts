import type { Axis, CameraState } from './camera/camera.ts';
import type { PaneState } from './direction/director.ts';
import type { IdentityCheck, Person } from './identity/person.ts';
import type { IdentityCounts } from './identity/re-identification.ts';
import type { AssignmentV2, CutV2, DirectionV2, DualFaceStateV2, IdentityV2 } from './state-version-2.ts';

/* Version 1 of the stored state has the same content as version 2 under other names. */

/** The state of a checkpoint of version 1. */
export type DualFaceStateV1 = Omit<DualFaceStateV2, 'cut' | 'identity' | 'direction'> & {
  readonly cut: CutV1 | null;
  readonly identity: IdentityV1;
  readonly direction: DirectionV1;
};

type CutV1 = Omit<CutV2, 'averageDifference'> & { readonly usual: number };

type CheckV1 = Pick<IdentityCheck, 'reason'> & { readonly nextLook: number; readonly looks: number };
type PersonV1 = Omit<Person, 'check'> & { readonly doubt: CheckV1 | null };
type CountsV1 = Pick<IdentityCounts, 'enrolments' | 'corrections'> & {
  readonly looks: number;
  readonly framesWithLooks: number;
};
type IdentityV1 = Pick<IdentityV2, 'nextId'> & {
  readonly people: readonly PersonV1[];
  readonly counts: CountsV1;
};

type AxisV1 = Omit<Axis, 'target'> & { readonly wish: number };
type CameraV1 = Readonly<Record<keyof CameraState, AxisV1>>;
type PaneV1 = Omit<PaneState, 'camera'> & { readonly camera: CameraV1 | null };
type DirectionV1 = Omit<DirectionV2, 'assignment' | 'left' | 'right'> & {
  readonly cast: AssignmentV2;
  readonly left: PaneV1;
  readonly right: PaneV1;
};

/** Converts a state of version 1 to version 2. */
export function convertVersion1({ cut, identity, direction, ...state }: DualFaceStateV1): DualFaceStateV2 {
  return {
    ...state,
    cut: cut === null ? null : { cells: cut.cells, averageDifference: cut.usual },
    identity: {
      ...identity,
      people: identity.people.map(convertPerson),
      counts: convertCounts(identity.counts),
    },
    direction: convertDirection(direction),
  };
}

function convertPerson({ doubt, ...person }: PersonV1): Person {
  if (doubt === null) return { ...person, check: null };
  const { reason, nextLook, looks } = doubt;
  return { ...person, check: { reason, dueFrame: nextLook, comparisons: looks } };
}

function convertCounts({ looks, framesWithLooks, ...counts }: CountsV1): IdentityCounts {
  return { ...counts, comparisons: looks, framesWithEmbeddings: framesWithLooks };
}

function convertDirection({ cast, left, right, ...direction }: DirectionV1): DirectionV2 {
  return { ...direction, assignment: cast, left: convertPane(left), right: convertPane(right) };
}

function convertPane({ camera, ...pane }: PaneV1): PaneState {
  if (camera === null) return { ...pane, camera };
  const { x, y, zoom } = camera;
  return { ...pane, camera: { x: convertAxis(x), y: convertAxis(y), zoom: convertAxis(zoom) } };
}

function convertAxis({ wish, ...axis }: AxisV1): Axis {
  return { ...axis, target: wish };
}
