import type { Detection } from '../tracking/box.ts';

/** A position in pixels of the frame. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * A detected face in pixels of the frame; it may extend beyond the edge. The landmarks are the person's right eye (on the
 * left in the image), left eye and nose tip, followed by the right and left corner of the mouth (YuNet, SCRFD,
 * YOLOv8-face) or by its centre, the right and the left ear (BlazeFace).
 */
export interface Face extends Detection {
  readonly landmarks: readonly Point[];
}

/** Finds the faces in frames of any size. Use it on the inference thread. */
export interface FaceDetector {
  /** Such as `BlazeFace full-range`. */
  readonly name: string;
  /** For the log: the layout, the engine, and why preferred engines were skipped. */
  readonly summary: string;
  /**
   * @param pixels packed RGB of 8 bits
   * @returns faces with at least the minimum score, the best first, after suppression of overlaps
   * @throws EngineError if the engine fails
   */
  detect(pixels: Uint8Array, width: number, height: number): Promise<Face[]>;
  /** May be called twice. */
  dispose(): Promise<void>;
}
