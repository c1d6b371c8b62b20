import type { Device } from '../../../domain/recipe.ts';
import type { Engine } from '../../../inference/engine.ts';
import { loadAnalyser, whyNotOnGpu } from '../../../inference/load-model.ts';
import { decodeModel } from '../../../inference/models/onnx-model.ts';
import type { FaceDetector } from './face.ts';
import { inputShape } from './input-shape.ts';
import { recogniseLayout } from './layouts/recognise-layout.ts';
import { ModelDetector } from './model-detector.ts';

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
  /** Called with a sentence for the log if the device is `gpu` and no GPU can run the model. */
  readonly onWarning?: (warning: string) => void;
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
  const warning = whyNotOnGpu(device, chosen);
  if (warning !== null) options.onWarning?.(warning);
  return new ModelDetector(chosen, layout, size.fixed, { minScore, enoughFaces });
}
