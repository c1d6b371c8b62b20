import type { Detection } from '../tracking/box.ts';

/** A place in pixels of the frame. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * A face in pixels of the frame; it may reach beyond the edge. Its landmarks are the person's right eye (which is on the
 * left of the image), left eye and nose tip, and then what the detector knows of the mouth: both corners, the right
 * first (YuNet, SCRFD, YOLOv8-face), or its centre, the right and the left ear (BlazeFace).
 */
export interface Face extends Detection {
  readonly landmarks: readonly Point[];
}

/** Finds the faces of a frame. Frames may be of any size and differ in size. Use it on the thread of the transform. */
export interface FaceDetector {
  /** Such as `BlazeFace full-range`. */
  readonly name: string;
  /** For the log: the layout, the engine, and why it is not a better one. */
  readonly summary: string;
  /**
   * @param pixels packed RGB of 8 bits
   * @returns the faces, the best score first, from the detector's least score on; none overlaps another much
   * @throws EngineError as the engine's `run`
   */
  detect(pixels: Uint8Array, width: number, height: number): Promise<Face[]>;
  /** May be called twice. */
  dispose(): Promise<void>;
}
