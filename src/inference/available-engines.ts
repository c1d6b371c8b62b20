import type { Engine } from './engine.ts';
import { createOnnxEngine, installedProviders } from './onnx-engine.ts';

/** The engines of this installation in the order of preference: TensorRT, CUDA, CPU (D2). */
export function availableEngines(): Engine[] {
  return installedProviders().map(createOnnxEngine);
}
