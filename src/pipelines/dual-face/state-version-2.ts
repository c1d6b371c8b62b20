import type { CutState } from './camera/cut-detector.ts';
import { NO_DISSOLVE } from './camera/dissolve-detector.ts';
import type { DirectionState } from './direction/director.ts';
import type { PaneAssignment } from './direction/pane-assignment.ts';
import type { Side } from './direction/sides.ts';
import type { IdentityState } from './identity/identify.ts';
import type { DualFaceState } from './state.ts';

/* Version 2 of the stored state does not know the pane that each person had first, when the shot began, and dissolves. */

/** The state of a checkpoint of version 2. */
export type DualFaceStateV2 = Omit<DualFaceState, 'cut' | 'identity' | 'direction'> & {
  readonly cut: CutV2 | null;
  readonly identity: IdentityV2;
  readonly direction: DirectionV2;
};

export type CutV2 = Omit<CutState, 'dissolve'>;
export type IdentityV2 = Omit<IdentityState, 'shotFrame'>;
export type AssignmentV2 = Omit<PaneAssignment, 'sides'> & { readonly crossedFrames: number };
export type DirectionV2 = Omit<DirectionState, 'assignment'> & {
  readonly assignment: AssignmentV2;
  readonly sideChanges: number;
};

/** Converts a state of version 2 to the current version. */
export function convertVersion2({ cut, identity, direction, ...state }: DualFaceStateV2): DualFaceState {
  const { assignment, left, right, whole, counts, cuts } = direction;
  const sides: Record<number, Side> = {};
  if (assignment.left !== null) sides[assignment.left] = 'left';
  if (assignment.right !== null) sides[assignment.right] = 'right';
  const panes = { left: assignment.left, right: assignment.right };
  return {
    ...state,
    cut: cut === null ? null : { ...cut, dissolve: NO_DISSOLVE },
    identity: { ...identity, shotFrame: 1 },
    direction: {
      assignment: { ...panes, outweighedFrames: assignment.outweighedFrames, sides },
      ...{ left, right, whole, counts, cuts },
    },
  };
}
