import { deserialize, serialize } from 'node:v8';
import { InputRejectedError } from '../../../domain/errors.ts';
import type { CutState } from '../camera/cut-detector.ts';
import type { TrackerState } from '../tracking/byte-tracker.ts';
import type { MouthPatches } from './mouth-patches.ts';
import { NO_TRACKLETS, type TrackletState } from './tracklets.ts';

/** Everything from earlier frames that the analysis of the next frame depends on. Plain data and typed arrays. */
export interface AnalysisState {
  /** null before the first frame. */
  readonly cut: CutState | null;
  readonly tracker: TrackerState;
  readonly tracklets: TrackletState;
  /** Number of analysed frames so far. */
  readonly analysed: number;
  /** The mouths of the last analysed frame, by tracklet; absent in states of earlier versions. */
  readonly mouths?: ReadonlyMap<number, MouthPatches>;
}

export const FIRST_ANALYSIS: AnalysisState = {
  cut: null,
  tracker: { frame: 0, nextId: 1, tracks: [] },
  tracklets: NO_TRACKLETS,
  analysed: 0,
};

/** Increases with every change to the stored fields or their meaning; 1 to 3 were states of the pipeline with one pass. */
const VERSION = 4;

/** Encodes the state for a checkpoint: a few kilobytes in V8's structured clone format, which later Node.js can read. */
export function writeAnalysisState(state: AnalysisState): Uint8Array {
  return serialize({ ...state, version: VERSION });
}

/** @throws InputRejectedError STATE_OF_OTHER_VERSION */
export function readAnalysisState(bytes: Uint8Array): AnalysisState {
  // The version must not stay in the state, where `writeAnalysisState` would store it again.
  const { version, ...state } = deserialize(bytes) as { readonly version: unknown };
  if (version === VERSION) return state as AnalysisState;
  throw new InputRejectedError(
    'STATE_OF_OTHER_VERSION',
    `The checkpoint was written by another version of Framekiln (state version ${String(version)}, expected ${VERSION}); ` +
      'to start over, cancel and retry the job.',
  );
}
