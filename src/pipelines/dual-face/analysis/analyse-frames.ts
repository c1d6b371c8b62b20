import type { FrameFormat } from '../../../domain/media-info.ts';
import { asComponents } from '../../components.ts';
import type { Frame } from '../../frame-pipeline.ts';
import { detectCut } from '../camera/cut-detector.ts';
import type { Face } from '../detection/face.ts';
import { iou, type Box } from '../tracking/box.ts';
import { ByteTracker, TRACKER_DEFAULTS } from '../tracking/byte-tracker.ts';
import type { AnalysisState } from './analysis-state.ts';
import { measuredHeights } from './face-height.ts';
import { lookQuality } from './look-quality.ts';
import { mouthMovement } from './mouth-movement.ts';
import { mouthPatches, type MouthPatches } from './mouth-patches.ts';
import type { Observation, SeenFace } from './observation.ts';
import { followTracklets } from './tracklets.ts';

export interface AnalysisTools {
  readonly format: FrameFormat;
  /** Faces are detected in every n-th frame, and in the first frame of each shot. */
  readonly detectEvery: number;
  readonly detect: (frame: Frame, format: FrameFormat) => Promise<readonly Face[]>;
  /** Whether the heights of large faces are measured in parts of the frame, which `detect` must accept as well. */
  readonly measuresHeights: boolean;
  /** The embedding of a face; null if that is impossible. */
  readonly embed: (frame: Frame, face: Face) => Promise<Float32Array | null>;
}

/** Minimum overlap (IoU) of a detection with the box of its track. */
const SAME_FACE = 0.4;
/** Faces are measured more precisely in every n-th frame, and in the first frame of each shot. */
const MEASURED_EVERY = 12;

/** Finds cuts and faces in the next frame, and follows the faces. */
export async function analyseFrame(
  before: AnalysisState,
  frame: Frame,
  { format, detectEvery, detect, measuresHeights, embed }: AnalysisTools,
): Promise<{ state: AnalysisState; observation: Observation }> {
  const {
    isCut,
    dissolveFrames,
    state: cut,
  } = detectCut(before.cut, asComponents(frame.pixels, format), format);
  const isNewShot = isCut || before.cut === null;
  if (!isNewShot && frame.number % detectEvery !== 0)
    return { state: { ...before, cut }, observation: { isNewShot, dissolveFrames, faces: null } };
  const faces = await detect(frame, format);
  const detectedIn = (box: Box): Face | undefined => faces.find((each) => iou(each.box, box) > SAME_FACE);
  const followed = await followFaces({ ...before, cut }, faces, isNewShot, (box) => {
    const face = detectedIn(box);
    return face === undefined ? Promise.resolve(null) : embed(frame, face);
  });
  const heights =
    measuresHeights && (isNewShot || frame.number % MEASURED_EVERY === 0)
      ? await measuredHeights(frame, format, faces, detect)
      : new Map<Face, number>();
  const mouths = new Map<number, MouthPatches>();
  const seen = followed.faces.map((each): SeenFace => {
    const face = detectedIn(each.box);
    if (face === undefined) return each;
    const now = mouthPatches(frame, format, face);
    if (now !== null) mouths.set(each.tracklet, now);
    // A tracklet ends at a cut, so its mouth was in the same shot.
    const last = before.mouths?.get(each.tracklet);
    const height = heights.get(face);
    return {
      ...each,
      ...(height === undefined ? {} : { height }),
      ...(each.embedding === null ? {} : { quality: lookQuality(frame, format, face) }),
      ...(now === null || last === undefined ? {} : { mouth: mouthMovement(last, now) }),
    };
  });
  return { state: { ...followed.state, mouths }, observation: { isNewShot, dissolveFrames, faces: seen } };
}

/** Follows the faces that were detected in a frame; at a cut, every track ends. */
export async function followFaces(
  before: AnalysisState,
  detected: readonly Pick<Face, 'box' | 'score'>[],
  isNewShot: boolean,
  embed: (box: Box) => Promise<Float32Array | null>,
): Promise<{ state: AnalysisState; faces: NonNullable<Observation['faces']> }> {
  const tracker = new ByteTracker(
    TRACKER_DEFAULTS,
    isNewShot ? { ...before.tracker, frame: 0, tracks: [] } : before.tracker,
  );
  tracker.update(detected);
  const tracklets = isNewShot ? { ...before.tracklets, active: [] } : before.tracklets;
  const analysed = before.analysed + 1;
  const followed = await followTracklets(tracklets, tracker.detected(), analysed, embed);
  return {
    state: { ...before, tracker: tracker.snapshot(), tracklets: followed.state, analysed },
    faces: followed.faces,
  };
}
