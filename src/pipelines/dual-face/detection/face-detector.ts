import type { Device } from '../../../domain/recipe.ts';
import type { Engine } from '../../../inference/engine.ts';
import { loadAnalyser } from '../../../inference/load-model.ts';
import { decodeModel } from '../../../inference/models/onnx-model.ts';
import type { Detection } from '../tracking/box.ts';
import { inputShape } from './input-shape.ts';
import { recogniseLayout } from './layouts/recognise-layout.ts';
import { ModelDetector } from './model-detector.ts';

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

export interface DetectorOptions {
  readonly device: Device;
  /** Engines in the order of preference. */
  readonly engines: readonly Engine[];
  /** Threads of one operator; 0: one per core. */
  readonly threads: number;
  /** Minimum score of the faces that are returned; by default 0.1, the lowest that ByteTrack uses. */
  readonly minScore?: number;
  /**
   * If fewer faces than this are found in a frame that is larger than the model's input, the detector also searches
   * overlapping windows, in which smaller faces are found. The default is 2, as many as a split screen shows; 0: never.
   */
  readonly enoughFaces?: number;
}

/**
 * Loads a face detector on the first engine that can run it. The layout of the outputs (BlazeFace, YuNet, SCRFD or
 * YOLOv8-face) is recognised by their shapes.
 *
 * @param model bytes of an ONNX file
 * @param what the name of the model in errors
 * @throws EngineError if no engine can run it or its outputs have no known layout; ModelError if the file is not suitable
 */
export async function loadFaceDetector(
  model: Uint8Array,
  what: string,
  options: DetectorOptions,
): Promise<FaceDetector> {
  const { device, engines, threads, minScore = 0.1, enoughFaces = 2 } = options;
  const size = inputShape(decodeModel(model, what), what);
  const { outcome: layout, ...chosen } = await loadAnalyser(
    model,
    device,
    engines,
    { threads },
    [1, 3, size.trial.height, size.trial.width],
    (outputs) => recogniseLayout(outputs, size.trial),
  );
  return new ModelDetector(chosen, layout, size.fixed, { minScore, enoughFaces });
}
