import type { Face } from './detection/face.ts';
import { direct, type DirectorOptions, type ScreenViews } from './direction/director.ts';
import { identify, isSettling } from './identity/identify.ts';
import { interpolatePeople } from './key-frames.ts';
import type { DualFaceState } from './state.ts';
import { iou } from './tracking/box.ts';
import { ByteTracker, TRACKER_DEFAULTS } from './tracking/byte-tracker.ts';

/** Consecutive frames, of which only the last one was analysed. */
export interface AnalysedFrames {
  readonly frameCount: number;
  /** Faces that were detected in the last frame. */
  readonly faces: readonly Face[];
  /** Whether the last frame is the first one of the video or after a cut. */
  readonly isNewShot: boolean;
  /** The embedding of one of the faces; null if that is impossible. */
  readonly embed: (face: Face) => Promise<Float32Array | null>;
}

/** Minimum overlap (IoU) of a detection with the box of its track. */
const SAME_FACE = 0.4;

/**
 * Tracks faces, identifies people and decides what each frame shows. People are interpolated in frames that were not
 * analysed; before a cut, they stay where they were seen last.
 *
 * @returns the state after the last frame, and the views of every frame
 */
export async function advanceState(
  before: DualFaceState,
  { frameCount, faces, isNewShot, embed }: AnalysedFrames,
  options: DirectorOptions,
): Promise<{ state: DualFaceState; views: ScreenViews[] }> {
  const tracker = new ByteTracker(
    TRACKER_DEFAULTS,
    isNewShot ? { ...before.tracker, frame: 0, tracks: [] } : before.tracker,
  );
  const tracked = tracker.update(faces);
  const frames = before.frames + frameCount;
  const analysed = { frame: frames, faces: tracked, isNewShot };
  const identity = await identify(before.identity, analysed, ({ box }) => {
    const face = faces.find((each) => iou(each.box, box) > SAME_FACE);
    return face === undefined ? Promise.resolve(null) : embed(face);
  });
  let { direction } = before;
  const views: ScreenViews[] = [];
  for (let i = 1; i <= frameCount; i++) {
    const isLast = i === frameCount;
    const last = isLast ? identity : before.identity;
    const people =
      isLast || isNewShot
        ? last.people
        : interpolatePeople(before.identity.people, identity.people, i / frameCount);
    const frame = before.frames + i;
    const scene = { frame, people, isNewShot: isLast && isNewShot, isSettling: isSettling(last, frame) };
    const directed = direct(direction, scene, options);
    direction = directed.state;
    views.push(directed.views);
  }
  return { state: { ...before, frames, tracker: tracker.snapshot(), identity, direction }, views };
}
