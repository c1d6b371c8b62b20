import type { Device } from '../../../domain/recipe.ts';
import type { Engine } from '../../../inference/engine.ts';
import { loadAnalyser } from '../../../inference/load-model.ts';
import { decodeModel } from '../../../inference/models/onnx-model.ts';
import type { FaceDetector } from './face.ts';
import { inputShape } from './input-shape.ts';
import { recogniseLayout } from './layouts/recognise-layout.ts';
import { ModelDetector } from './model-detector.ts';

export interface DetectorOptions {
  readonly device: Device;
  /** In the order of preference. */
  readonly engines: readonly Engine[];
  /** Threads inside one operator; 0: as many as there are cores. */
  readonly threads: number;
  /** Faces below it are not told; ByteTrack makes use of those from 0.1 on, which is the default. */
  readonly leastScore?: number;
  /**
   * A frame that is larger than the model's input and in which fewer faces are seen is looked at again in overlapping
   * windows, in which small faces are found. By default 2, which are all that a dual-face job looks for; 0: never.
   */
  readonly enoughFaces?: number;
}

/**
 * Loads a face detector on the first engine that really runs it. What the model's outputs mean is told by their
 * shapes: BlazeFace, YuNet, SCRFD or YOLOv8-face.
 *
 * @param model bytes of an ONNX file
 * @param what names it in errors
 * @throws EngineError when no engine runs it or its outputs are those of no known detector;
 *   ModelError where the file is none that may be loaded
 */
export async function loadFaceDetector(
  model: Uint8Array,
  what: string,
  options: DetectorOptions,
): Promise<FaceDetector> {
  const { device, engines, threads, leastScore = 0.1, enoughFaces = 2 } = options;
  const size = inputShape(decodeModel(model, what), what);
  const { outcome: layout, ...chosen } = await loadAnalyser(
    model,
    device,
    engines,
    { threads },
    [1, 3, size.trial.height, size.trial.width],
    (outputs) => recogniseLayout(outputs, size.trial),
  );
  return new ModelDetector(chosen, layout, size.fixed, { leastScore, enoughFaces });
}
