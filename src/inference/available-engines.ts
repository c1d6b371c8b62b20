import type { Engine } from './engine.ts';
import { createOnnxEngine, onnxProviders } from './onnx-engine.ts';

/** The engines of this installation in the order of preference: TensorRT, CUDA, CPU (D2). */
export function availableEngines(): Engine[] {
  const installed = onnxProviders();
  return (['tensorrt', 'cuda', 'cpu'] as const)
    .filter((provider) => installed.has(provider))
    .map(createOnnxEngine);
}
