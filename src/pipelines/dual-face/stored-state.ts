import { deserialize, serialize } from 'node:v8';
import { InputRejectedError } from '../../domain/errors.ts';
import { convertVersion1, type DualFaceStateV1 } from './state-version-1.ts';
import { convertVersion2, type DualFaceStateV2 } from './state-version-2.ts';
import type { DualFaceState } from './state.ts';

/** Increases with every change to the stored fields or their meaning. */
const VERSION = 3;

/** Encodes the state for a checkpoint: a few kilobytes in V8's structured clone format, which later Node.js can read. */
export function writeState(state: DualFaceState): Uint8Array {
  return serialize({ ...state, version: VERSION });
}

/** @throws InputRejectedError STATE_OF_OTHER_VERSION */
export function readState(bytes: Uint8Array): DualFaceState {
  // The version must not stay in the state, where `writeState` would store it again.
  const { version, ...state } = deserialize(bytes) as { readonly version: unknown };
  if (version === VERSION) return state as DualFaceState;
  if (version === 2) return convertVersion2(state as DualFaceStateV2);
  if (version === 1) return convertVersion2(convertVersion1(state as DualFaceStateV1));
  throw new InputRejectedError(
    'STATE_OF_OTHER_VERSION',
    `The checkpoint was written by another version of Framekiln (state version ${String(version)}, expected 1 to ${VERSION}); ` +
      'to start over, cancel and retry the job.',
  );
}
